"""How long each stage of an answer takes, for metrics."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time what is done inside, also where it fails."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._on_stage(stage, time.perf_counter() - start)
