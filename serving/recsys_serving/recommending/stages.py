"""How long each stage of an answer takes, for metrics."""

from __future__ import annotations

import time
from collections.abc import Callable

#: The stages of an answer, in their order.
STAGES = ("state", "sync", "assignment", "plan", "cache", "model", "cache_write", "assembly", "exposure")


class StageTimer:
    """Tells how long each stage took.

    Args:
        on_stage: is told the name and the seconds.
    """

    __slots__ = ("_on_stage",)

    def __init__(self, on_stage: Callable[[str, float], None]) -> None:
        self._on_stage = on_stage

    def __call__(self, stage: str) -> _Stage:
        """Time what is done inside, also where it fails."""
        return _Stage(stage, self._on_stage)


class _Stage:
    """The time of one stage; a class, since a generator takes several times as long, for each of nine stages."""

    __slots__ = ("_on_stage", "_stage", "_start")

    def __init__(self, stage: str, on_stage: Callable[[str, float], None]) -> None:
        self._stage, self._on_stage = stage, on_stage

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._on_stage(self._stage, time.perf_counter() - self._start)
