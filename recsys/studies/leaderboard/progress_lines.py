"""What a leaderboard prints while it runs: a line for each share of a model, and on a terminal what is done now."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.status import Status
from rich.text import Text

from recsys.cli.console import PlainConsole
from recsys.studies.leaderboard.schedule import FINALS, Progress

#: What the stages that are no rounds are called.
_STAGES = {0: "first trial", FINALS: "what is left"}

#: Columns of a name, wide enough for those of all models.
_NAME_WIDTH = 16


class ProgressLines:
    """Prints lines that stay, and keeps one that changes below them where there is a terminal.

    Args:
        console: where to.
        budget_seconds: of the whole benchmark.
    """

    def __init__(self, console: PlainConsole, budget_seconds: float) -> None:
        self._console, self._budget_seconds = console, budget_seconds
        self._status: Status | None = None
        self._doing, self._limit_seconds, self._since = "", 0.0, time.monotonic()

    @contextmanager
    def shown(self) -> Iterator[None]:
        """While this lasts a terminal has the changing line."""
        if not self._console.is_terminal:
            yield
            return
        with self._console.status("") as self._status:
            yield
        self._status = None

    def say(self, line: str) -> None:
        """Print a line, a path or a command for instance, which can be copied from a terminal too."""
        self._console.print(line)

    def explain(self, text: str) -> None:
        """Print sentences, broken to the width between words."""
        self._console.print(text)

    def now(self, doing: str, limit_seconds: float = 0.0) -> None:
        """Begin something else; ``limit_seconds`` is how long it may take, 0 for as long as it takes."""
        self._doing, self._limit_seconds, self._since = doing, limit_seconds, time.monotonic()
        self.tick()

    def tick(self) -> None:
        """Bring the changing line up to date."""
        if self._status is not None:
            seconds = f"{time.monotonic() - self._since:.0f} s"
            limit = f" of {self._limit_seconds:.0f}" if 0 < self._limit_seconds < math.inf else ""
            text = Text(f"{seconds}{limit}  {self._doing}")
            text.truncate(max(20, self._console.width - 4), overflow="ellipsis")
            self._status.update(text)

    def tell(self, progress: Progress) -> None:
        """Print what a model's share of a stage brought."""
        standing = progress.standing
        stage = _STAGES.get(progress.stage, f"round {progress.stage}")
        head = f"{self._clock(progress.elapsed)}  {stage:<11}  {standing.entrant.name:<{_NAME_WIDTH}}"
        if standing.best is None:
            self.explain(f"{head}  failed: {standing.trials[-1].error}")
            return
        more = ""
        if progress.stage > 0:
            more = f"  {progress.trials} trial{'s' if progress.trials > 1 else ''}"
            more += f", was {progress.value_before:.4f}" if progress.value_before < standing.value else ", no better"
        self.say(f"{head}  {standing.value:.4f}  {progress.seconds:5.1f} s{more}")

    def skipped(self, name: str, reason: str) -> None:
        """Print why a model is not tried, searched no further, or not tested."""
        self.explain(f"{name}: {reason}")

    def tested(self, name: str, run: str, error: str, elapsed: float) -> None:
        """Print what came of the last fit and the test of a model: the name of its run, or the error."""
        head = f"{self._clock(elapsed)}  {'tested':<11}  {name:<{_NAME_WIDTH}}"
        self.explain(f"{head}  failed: {error}") if error else self.say(f"{head}  {run}")

    def _clock(self, seconds: float) -> str:
        """Such as ``3:07/10:00``."""
        return f"{clock_time(seconds)}/{clock_time(self._budget_seconds)}"


def clock_time(seconds: float) -> str:
    """Such as ``3:07``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
