"""Who runs the functions of partitions: this process, or the tasks of a cluster."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


class Executor(ABC):
    """Runs functions for many arguments.

    A function may be run a second time where its first run was lost with its machine, perhaps while the first goes on.
    So a function writes the same each time, each file whole or not at all, and removes nothing that it reads.
    """

    @property
    @abstractmethod
    def num_sources(self) -> int:
        """Into how many parts raw data are divided that are read at the same time."""

    @abstractmethod
    def groups(self, count: int) -> list[range]:
        """The numbers below ``count`` in groups, one for each call of a function that adds up what it finds."""

    @abstractmethod
    def map(
        self, function: Callable[..., T], arguments: Sequence[tuple[Any, ...]], shared: tuple[Any, ...] = ()
    ) -> Iterator[T]:
        """The results of a function, in the order of the arguments.

        Args:
            function: of a module, so that it can be sent.
            arguments: of each call.
            shared: arguments of all calls, which come first.

        Raises:
            RecsysError: the function raises one.
        """


class InProcess(Executor):
    """Runs one call after the other, when its result is asked for."""

    num_sources = 1

    def groups(self, count: int) -> list[range]:
        """Each number by itself."""
        return [range(number, number + 1) for number in range(count)]

    def map(
        self, function: Callable[..., T], arguments: Sequence[tuple[Any, ...]], shared: tuple[Any, ...] = ()
    ) -> Iterator[T]:
        """See :meth:`Executor.map`."""
        return (function(*shared, *one) for one in arguments)
