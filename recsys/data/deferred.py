"""Columns that are gathered when they are read, so that a selection of rows holds no copy of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any


class Deferred(ABC):
    """What stands in a field in place of a column that is not there yet."""

    @abstractmethod
    def resolve(self) -> Any:
        """The column."""

    @abstractmethod
    def __len__(self) -> int:
        """Rows of the column."""


class DeferrableField:
    """A field of a class with slots that may hold a :class:`Deferred` column: who reads the field gets the column.

    Args:
        slot: the descriptor that keeps the value.
    """

    def __init__(self, slot: Any) -> None:
        self._slot = slot

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """The column; the descriptor itself where the class is asked."""
        if instance is None:
            return self
        value = self._slot.__get__(instance, owner)
        return value.resolve() if isinstance(value, Deferred) else value

    def __set__(self, instance: Any, value: Any) -> None:
        """Keep a column, or what stands for it."""
        self._slot.__set__(instance, value)

    def stored(self, instance: Any) -> Any:
        """What the field holds: a column, None, or what stands for a column."""
        return self._slot.__get__(instance, type(instance))


def defer_fields(owner: type, names: tuple[str, ...]) -> None:
    """Let the fields ``names`` of a class with slots hold deferred columns."""
    for name in names:
        setattr(owner, name, DeferrableField(owner.__dict__[name]))


def stored(instance: Any, name: str) -> Any:
    """What a deferrable field holds, without reading the column."""
    return type(instance).__dict__[name].stored(instance)
