"""Which of the processes of one training this one is.

A training on N devices is N processes, its ranks, each with a device of its own. ``recsys train`` starts them
(:mod:`recsys.cli.process.rank_processes`), or torchrun does. What is computed together asks :func:`ranks`; alone it
answers that there is one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from recsys.errors import RunError

#: Set by whoever starts the ranks, by the names that torchrun uses.
VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK")


@dataclass(frozen=True, slots=True)
class Ranks:
    """The place of a process among those of its training.

    Args:
        rank: from 0; rank 0 writes and prints.
        size: how many there are.
        local_rank: the place among those of this machine, which is the number of its GPU.
        local_size: how many there are on this machine.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this is the one that writes and prints."""
        return self.rank == 0

    @property
    def num_nodes(self) -> int:
        """Machines."""
        return self.size // self.local_size

    def part(self, num_rows: int) -> slice:
        """The rows of this rank among ``num_rows``: one run of them for each rank, whose lengths differ by one."""
        return self.parts(num_rows)[self.rank]

    def parts(self, num_rows: int) -> list[slice]:
        """The rows of each rank; see :meth:`part`."""
        each, more = divmod(num_rows, self.size)
        starts = [rank * each + min(rank, more) for rank in range(self.size + 1)]
        return [slice(start, stop) for start, stop in zip(starts[:-1], starts[1:], strict=True)]


_current = Ranks()


def ranks() -> Ranks:
    """The place of this process; the only one where nothing was joined."""
    return _current


def set_ranks(current: Ranks) -> None:
    """Say which place this process has; for whoever joins them."""
    global _current
    _current = current


@contextmanager
def alone() -> Iterator[None]:
    """Compute in this rank alone what all could share, such as what only rank 0 measures."""
    before = ranks()
    set_ranks(Ranks())
    try:
        yield
    finally:
        set_ranks(before)


def ranks_of(environment: Mapping[str, str] = os.environ) -> Ranks | None:
    """The place that whoever started this process has given it; None where a user started it.

    Args:
        environment: of the process.

    Raises:
        RunError: the variables name no place.
    """
    if not all(environment.get(name) for name in VARIABLES):
        return None
    said = {name: environment.get(name) or environment["WORLD_SIZE"] for name in (*VARIABLES, "LOCAL_WORLD_SIZE")}
    rank, size, local_rank, local_size = (int(value) if value.isdecimal() else -1 for value in said.values())
    if not (0 <= rank < size and 0 <= local_rank < local_size <= size and size % local_size == 0):
        raise RunError(
            "The environment has to say which of the processes of a training this one is, with RANK below WORLD_SIZE, "
            f"but it says {', '.join(f'{name}={value}' for name, value in said.items())}. Start with torchrun, or "
            "unset them to train in one process."
        )
    return Ranks(rank, size, local_rank, local_size)
