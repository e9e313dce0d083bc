"""Whole epochs of MF and NeuMF at the size of MovieLens 20M: tables updated whole, and as the defaults do it.

::

    python benchmarks/whole_epochs.py --minutes 15 45

The sides are *before* (PyTorch's Adam over all rows, loss and gradients by operators of PyTorch) and *after* (the
defaults of ``scripts/train.py``), with the same 20 million synthetic interactions, the default batch and the first
epoch of a training. Each side is a process of its own; they take turns of ``--turn`` calls of 32 steps, so that what
else the machine does costs both alike. The seconds are those that the process took of the processor, from the first
thing of the epoch (the known pairs of each user, the order of the positives) to the last row caught up.

Where the time would not do, first the side before and then both take fewer calls in each turn, spread evenly over the
epoch, and the line says how many steps were taken: the epoch is reckoned from these, the first 160
steps apart, in which Adam begins otherwise than it goes on.
"""

from __future__ import annotations

import argparse
import multiprocessing
import platform
import tempfile
import time
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from counted.training_steps import NUM_ITEMS, NUM_USERS, synthetic_interactions, train_epoch
from hydra.utils import instantiate

from recsys.cli.configuration import compose_config
from recsys.data.interactions import Interactions
from recsys.training.module import STEPS_PER_CALL

_COLUMNS = ("user_index", "item_index")
#: Calls that both sides begin with: for 128 steps Adam updates tables whole, also the one by touched rows, and the
#: first call after them loads the loops of rows.
_FIRST_CALLS = 5


class _Turns(pl.Callback):
    """Waits for its turn before each call of ``training_step``, and says what the last turn took."""

    def __init__(self, parent: Connection) -> None:
        self._parent = parent
        self._left = 0
        self._begun = time.process_time()

    def on_train_batch_start(self, *_: Any) -> None:
        """Wait where the turn is over."""
        if self._left == 0:
            self.tell(is_done=False)
            self._left = self._parent.recv()
        self._left -= 1

    def tell(self, is_done: bool) -> None:
        """Tell the processor's seconds since the epoch began."""
        self._parent.send((time.process_time() - self._begun, is_done))


def _train(parent: Connection, directory: str, model: str, is_after: bool, threads: int) -> None:
    """One side: an epoch in turns."""
    torch.set_num_threads(threads)
    users, items = (np.load(Path(directory, f"{name}.npy"), mmap_mode="c").view(np.ndarray) for name in _COLUMNS)
    interactions = Interactions(users, items, None, None, None, NUM_USERS, NUM_ITEMS)
    config = compose_config("train", overrides=[f"model={model}", "data=synthetic"])
    torch.manual_seed(0)
    network = instantiate(config.model)(num_users=NUM_USERS, num_items=NUM_ITEMS)
    settings: dict[str, Any] = {}
    if not is_after:
        settings["optimizer"] = partial(torch.optim.Adam, lr=config.training.optimizer.lr, fused=True)
    module = instantiate(config.training)(network=network, interactions=interactions, **settings)
    if not is_after:
        module._fused = None
    turns = _Turns(parent)
    train_epoch(module, turns)
    turns.tell(is_done=True)


@dataclass
class Side:
    """A process that trains, and what it took so far.

    Args:
        name: ``before`` or ``after``.
        process: that trains.
        connection: to it.
        calls: of ``training_step`` in an epoch.
    """

    name: str
    process: Any
    connection: Connection
    calls: int
    taken: int = 0
    seconds: float = 0.0
    first: tuple[int, float] = (0, 0.0)
    is_done: bool = False
    walls: list[float] = field(default_factory=list)

    def take(self, calls: int) -> None:
        """Have it take so many calls, and wait for them."""
        begin = time.perf_counter()
        calls = min(calls, self.calls - self.taken)
        self.connection.send(calls)
        self.seconds, self.is_done = self.connection.recv()
        self.taken += calls
        if self.first[0] == 0:
            self.first = self.taken, self.seconds
        self.walls.append((time.perf_counter() - begin) / calls)

    def wait(self) -> None:
        """Wait until its first call can begin."""
        self.seconds, self.is_done = self.connection.recv()

    @property
    def epoch(self) -> float:
        """The processor's seconds of an epoch; reckoned from the calls that were taken where these are not all."""
        calls, seconds = self.first
        if self.is_done or self.taken == calls:
            return self.seconds
        return seconds + (self.seconds - seconds) * (self.calls - calls) / (self.taken - calls)


def calls_of_a_turn(seconds: float, walls: tuple[float, float], turn: int) -> tuple[int, int]:
    """Calls that both sides take in a turn: the second one as many as fit, the first one what is left.

    Args:
        seconds: that the turn may take.
        walls: seconds of a call of both.
        turn: calls at most.
    """
    first, second = walls
    of_second = min(turn, max(1, int((seconds - first) / second)))
    return min(turn, max(1, int((seconds - of_second * second) / first))), of_second


def run_epochs(model: str, directory: str, calls: int, turn: int, threads: int, until: float) -> list[Side]:
    """Both sides of a model in turns, with fewer calls where all would take longer than ``until``."""
    context, sides = multiprocessing.get_context("spawn"), []
    for name in ("before", "after"):
        ours, theirs = context.Pipe()
        process = context.Process(target=_train, args=(theirs, directory, model, name == "after", threads), daemon=True)
        process.start()
        theirs.close()
        sides.append(Side(name, process, ours, calls))
        sides[-1].wait()
    passed = min(_FIRST_CALLS, calls)
    for side in sides:
        side.take(passed)
    while passed < calls:
        size, num_left = min(turn, calls - passed), -(-(calls - passed) // turn)
        first, second = (float(np.mean(side.walls[-4:])) for side in sides)
        taken = calls_of_a_turn((until - time.perf_counter()) / num_left, (first, second), size)
        for side, count in zip(sides, taken, strict=True):
            side.take(count)
        passed += size
        told = " and ".join(f"{side.taken} calls in {side.seconds:.1f} s" for side in sides)
        print(f"{model}, {passed} of {calls} calls gone by: {told} of the processor", flush=True)
    for side in sides:
        side.process.kill()  # Lightning takes no notice of anything less
        side.process.join()
    return sides


def main() -> None:
    """Run all sides and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interactions", type=int, default=20_000_000)
    parser.add_argument("--models", nargs="+", default=["mf", "neumf"])
    parser.add_argument("--turn", type=int, default=8, help="calls of 32 steps that a side takes at once")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--minutes", type=float, nargs="+", default=[15, 45], help="that each model may take")
    arguments = parser.parse_args()
    interactions = synthetic_interactions(arguments.interactions)
    steps = -(-len(interactions) // 2048)
    calls = -(-steps // STEPS_PER_CALL)
    lines = [
        f"{len(interactions):,} interactions, {NUM_USERS:,} users, {NUM_ITEMS:,} items, {steps:,} steps of 2,048 "
        f"positives with 4 negatives each, {arguments.threads} thread, {platform.machine()}, torch {torch.__version__}",
        "",
        "| | steps taken | an epoch, processor (s) | before / after |",
        "|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as directory:
        for name in _COLUMNS:
            np.save(Path(directory, f"{name}.npy"), getattr(interactions, name))
        del interactions
        for model, minutes in zip(arguments.models, arguments.minutes, strict=True):
            until = time.perf_counter() + 60 * minutes
            before, after = run_epochs(model, directory, calls, arguments.turn, arguments.threads, until)
            for side in (before, after):
                ratio = f"{before.epoch / after.epoch:.1f}" if side is after else ""
                taken = "all" if side.is_done else f"{side.taken * STEPS_PER_CALL:,}"
                lines.append(f"| {model}, {side.name} | {taken} | {side.epoch:,.0f} | {ratio} |")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
