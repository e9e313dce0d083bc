"""A training on several devices: who starts its processes, and how each of them takes part."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig

from recsys.cli.console import console
from recsys.cli.process.cpus import usable_cpus
from recsys.cli.process.rank_processes import LOST_STATUS, end_with_watcher, is_watched, note_run, run_ranks
from recsys.distributed.collectives import object_from_main
from recsys.distributed.process_group import is_about_ranks, joined
from recsys.distributed.ranks import ranks, ranks_of
from recsys.errors import LostRankError, RunError
from recsys.runs.device import available_accelerator
from recsys.runs.run_directory import RunDirectory
from recsys.runs.run_lock import locked_run
from recsys.runs.starting import new_run
from recsys.runs.tracking import NoTracker

#: More processes for a processor are no training that somebody waits for.
_RANKS_PER_CPU = 4


def start_ranks(command: str, config: DictConfig, is_sweep: bool) -> bool:
    """Start the processes of a training on several devices, and wait for them.

    Args:
        command: name of the command that this process runs.
        config: the resolved configuration.
        is_sweep: whether the training is one of a sweep.

    Returns:
        Whether they have trained; False where the training is that of this process, alone or as one of them.

    Raises:
        RunError: one of them has ended before its end, a sweep asks for several devices, or there are far fewer
            processors than processes.
        SystemExit: one of them has told of an error.
    """
    devices, num_nodes = _asked(config)
    if ranks_of() is not None or devices * num_nodes == 1:
        return False
    if is_sweep:
        raise RunError(
            f"A sweep trains on one device at a time, but trainer.devices={devices} and trainer.num_nodes={num_nodes}. "
            "Leave them out, or start the trainings one by one."
        )
    if available_accelerator(config) == "cpu" and devices > (most := _RANKS_PER_CPU * usable_cpus()):
        raise RunError(
            f"trainer.devices={devices} would start as many processes, each with the data and the model, but this "
            f"machine has {usable_cpus()} processors, and more than {most} processes only take turns. Set it lower."
        )
    if status := run_ranks(command, sys.argv[1:], devices, num_nodes):
        raise SystemExit(status)
    return True


@contextmanager
def joined_training(config: DictConfig) -> Iterator[None]:
    """Take part in a training as the process that this one is; under torchrun the settings follow torchrun.

    Args:
        config: the resolved configuration.

    Raises:
        RunError: torchrun has started another number of processes than the settings say.
        LostRankError: another process has ended, and nobody watches.
        SystemExit: another process has ended, and somebody watches.
    """
    place = ranks_of()
    if place is None:
        yield
        return
    started = place.local_size, place.num_nodes
    if (asked := _asked(config)) not in ((1, 1), started):
        raise RunError(
            f"trainer.devices={asked[0]} and trainer.num_nodes={asked[1]} need as many processes, but "
            f"there are {started[0]} on each of {started[1]} machines. Leave both out: they follow torchrun."
        )
    config.trainer.devices, config.trainer.num_nodes = started
    if place.num_nodes > 1 and place.local_rank == 0:
        console.print(f"waiting for the {place.num_nodes} machines of the training, up to ten minutes")
    console.quiet = not place.is_main
    end_with_watcher()
    try:
        with joined(place, "cuda" if available_accelerator(config) == "gpu" else "cpu"):
            yield
    except LostRankError:
        if is_watched():
            raise SystemExit(LOST_STATUS) from None
        raise


def _asked(config: DictConfig) -> tuple[int, int]:
    """Devices of a machine, and machines."""
    return config.trainer.devices, config.trainer.get("num_nodes") or 1  # runs of earlier versions say nothing of them


def is_main() -> bool:
    """Whether this process writes and prints."""
    return ranks().is_main


def lost_to_watcher(error: BaseException) -> bool:
    """Whether ``error`` is that another process has ended, of which somebody else tells."""
    return is_watched() and is_about_ranks(error)


def tracker_of(config: DictConfig) -> Any:
    """What tracks the training: that of the configuration on rank 0, and nothing elsewhere."""
    return instantiate(config.tracking) if ranks().is_main else NoTracker()


def shared_run(config: DictConfig, run: RunDirectory | None) -> RunDirectory:
    """The one run directory of all processes: ``run``, or a new one that rank 0 makes.

    Args:
        config: the resolved configuration.
        run: that of an interrupted training; None for a new one.
    """
    made = new_run(config) if run is None and ranks().is_main else run
    path = object_from_main(None if made is None else str(made.path))
    if not ranks().is_main:
        return SilentRunDirectory(Path(path))
    assert made is not None, "rank 0 has made it"
    note_run(made.path)
    return made


def lock_of(run: RunDirectory) -> AbstractContextManager[None]:
    """Keeps other trainings out of the run directory; that of rank 0 holds for all."""
    return locked_run(run.path) if ranks().is_main else nullcontext()


class SilentRunDirectory(RunDirectory):
    """The run directory of a process that is not rank 0: what that writes is read, and nothing is written."""

    def metrics(self) -> dict[str, float]:
        """None: rank 0 measures."""
        return {}

    def save_model(self, *_: Any, **__: Any) -> None:
        """Leave it to rank 0."""

    def save_per_user(self, *_: Any, **__: Any) -> None:
        """Leave it to rank 0."""

    def save_config(self, *_: Any, **__: Any) -> None:
        """Leave it to rank 0."""

    def save_history(self, *_: Any, **__: Any) -> None:
        """Leave it to rank 0."""

    def save_metrics(self, *_: Any, **__: Any) -> None:
        """Leave it to rank 0."""

    def finish(self, *_: Any, **__: Any) -> None:
        """Leave it to rank 0."""
