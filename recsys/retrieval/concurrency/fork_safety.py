"""What holds locks begins anew in a process that was forked: the threads that held them are not there."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable

_all: list[weakref.WeakMethod[Callable[[], None]]] = []


def call_after_fork(method: Callable[[], None]) -> None:
    """Let a method of an object be called in each process that is forked while the object is there.

    Args:
        method: takes new locks, with nobody who holds them or waits for them.
    """
    _all.append(weakref.WeakMethod(method, _all.remove))


def _call_all() -> None:
    for reference in list(_all):
        if (method := reference()) is not None:
            method()


if hasattr(os, "register_at_fork"):  # where processes can be forked
    os.register_at_fork(after_in_child=_call_all)
