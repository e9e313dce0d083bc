"""Runs functions in several processes that are the ranks of a training over gloo, on the CPU."""

from __future__ import annotations

import os
import pickle
import socket
import traceback
from collections.abc import Callable, Mapping
from multiprocessing import get_context
from multiprocessing.queues import Queue
from typing import Any

import torch

from recsys.distributed.process_group import joined
from recsys.distributed.ranks import Ranks

#: What a rank runs by name; the results are pickled.
Parts = Mapping[str, Callable[[], Any]]


def run_in_ranks(parts: Parts, size: int = 2) -> dict[str, list[Any]]:
    """What each part returns on each rank, by its name.

    Args:
        parts: functions of a module, which all ranks run in this order.
        size: how many ranks.
    """
    context = get_context("spawn")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    results: Queue[Any] = context.Queue()
    processes = [context.Process(target=_run, args=(rank, size, port, parts, results)) for rank in range(size)]
    for process in processes:
        process.start()
    found: dict[int, Any] = {}
    try:
        for _ in processes:
            rank, result = pickle.loads(results.get(timeout=900))
            assert not isinstance(result, str), f"rank {rank}:\n{result}"
            found[rank] = result
    finally:
        for process in processes:
            process.join(10)
            process.kill()
    return {name: [found[rank][name] for rank in range(size)] for name in parts}


def _run(rank: int, size: int, port: int, parts: Parts, results: Queue[Any]) -> None:
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "RANK": str(rank), "WORLD_SIZE": str(size)}
    torch.set_num_threads(1)
    try:
        with joined(Ranks(rank, size, rank, size), "cpu"):
            # In bytes of its own: tensors in a queue are shared with a process that has ended by then.
            results.put(pickle.dumps((rank, {name: part() for name, part in parts.items()})))
    except BaseException:
        results.put(pickle.dumps((rank, traceback.format_exc())))
        raise
