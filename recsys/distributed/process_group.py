"""Joins the ranks of a training, and lets rank 0 go first where something is made once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
from torch import distributed
from torch.distributed.rendezvous import rendezvous

from recsys.distributed.collectives import wait_for_ranks
from recsys.distributed.ranks import Ranks, ranks, set_ranks
from recsys.errors import LostRankError, RunError

#: How long ranks wait for each other: for whole preparations and evaluations of rank 0. A process that has ended is
#: noticed at once, by its closed connections.
_PATIENCE = timedelta(hours=24)

#: How long they wait for each other to begin.
_ARRIVAL = timedelta(minutes=10)

#: What PyTorch says where a rank that others wait for has ended.
_LOST = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "Socket closed", "NCCL", "gloo")


@contextmanager
def joined(place: Ranks | None, device: str) -> Iterator[None]:
    """Compute together with the other ranks; the body runs alone where there are none.

    Args:
        place: of this process; None: there are no others.
        device: ``cpu`` or ``cuda``: gloo carries tensors of the host, NCCL those of a GPU.

    Raises:
        LostRankError: another rank has ended before this one, or has not come.
        RunError: nobody has said where they meet, that is no port, or another program is there.
    """
    if place is None:
        yield
        return
    if missing := [name for name in ("MASTER_ADDR", "MASTER_PORT") if not os.environ.get(name)]:
        raise RunError(
            f"RANK and WORLD_SIZE say that this is one of {place.size} processes, but the environment lacks "
            f"{' and '.join(missing)}, where they meet. Start with torchrun, or unset those to train in one process."
        )
    port = os.environ["MASTER_PORT"]
    if not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise RunError(
            "MASTER_PORT must be a port, from 1 to 65535, at which the processes of a training meet, but it is "
            f"{port}. Correct it."
        )
    if device == "cuda":
        torch.cuda.set_device(place.local_rank)
    backend = "cpu:gloo,cuda:nccl" if device == "cuda" else "gloo"
    with lost_ranks():
        store, rank, size = _meeting()
        distributed.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=_PATIENCE)
        set_ranks(place)
        try:
            yield
            wait_for_ranks()  # the store of rank 0 has to be there until the last has gone
        finally:
            set_ranks(Ranks())
            distributed.destroy_process_group()


def _meeting() -> tuple[Any, int, int]:
    """Where ranks find each other, and the place of this one among so many.

    Raises:
        RunError: another program listens at the port.
    """
    try:
        store, rank, size = next(rendezvous("env://", timeout=_ARRIVAL))
    except distributed.DistNetworkError as error:
        if "EADDRINUSE" not in str(error):
            raise
        raise RunError(
            f"The processes of a training meet at MASTER_PORT={os.environ['MASTER_PORT']}, but another program listens "
            "there. Choose a free port, or run the command again."
        ) from error
    store.set_timeout(_PATIENCE)
    return store, rank, size


@contextmanager
def lost_ranks() -> Iterator[None]:
    """Make one error of what PyTorch says where a rank has ended.

    Raises:
        LostRankError: in place of that.
    """
    try:
        yield
    except RuntimeError as error:
        if not is_about_ranks(error):
            raise
        said = str(error).strip().splitlines()[0]
        raise LostRankError(
            f"Every process of a training is required to its end, but another one cannot be reached ({said}). See what "
            "it says, then go on with resume=DIR."
        ) from error


def is_about_ranks(error: BaseException) -> bool:
    """Whether an error is about the connection to other ranks."""
    if isinstance(error, distributed.DistError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _LOST)


@contextmanager
def main_first() -> Iterator[None]:
    """Run the body on rank 0, then on the first of each machine, then on the others.

    What the first makes and leaves on disk, those after it find: once where machines share a file system, else once on
    each.
    """
    place = ranks()
    turn = 0 if place.is_main else 1 if place.local_rank == 0 else 2
    for _ in range(turn):
        wait_for_ranks()
    yield
    for _ in range(2 - turn):
        wait_for_ranks()
