"""Jobs for the worker, at the top level of a module as pickle needs them."""

from __future__ import annotations

import os
import signal
import time

from recsys.errors import ModelError

CALLS = 0


def add(first: int, second: int) -> int:
    return first + second


def count() -> int:
    """How often it was called in this process."""
    global CALLS
    CALLS += 1
    return CALLS


def refuse() -> None:
    raise ModelError("no such thing")


def refuse_within_another() -> None:
    try:
        refuse()
    except ModelError as error:
        raise RuntimeError("a constructor failed") from error


def fail() -> None:
    raise ZeroDivisionError("by zero\nand more")


def sleep() -> None:
    time.sleep(60)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def process() -> int:
    return os.getpid()
