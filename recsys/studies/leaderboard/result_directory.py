"""The directory of a leaderboard: what was asked, what is done, and the page in the end.

results/2026-01-31_12-00-00_shop/
leaderboard.md       the page, with leaderboard.png beside it
leaderboard.json     what was asked, and the tested runs so far
tuning/MODEL/        the study of each model, as scripts/tune.py makes it
runs/DIR/            the tested run of each model, as scripts/train.py makes it
logs/MODEL.txt       what its training printed
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from recsys.cli.commands import typed_command
from recsys.cli.output_directory import new_directory
from recsys.errors import RunError

STATE = "leaderboard.json"
PAGE = "leaderboard.md"
TUNING, RUNS, LOGS = "tuning", "runs", "logs"
_LOCK = ".lock"

FORMAT_VERSION = 2


@dataclass(frozen=True, slots=True)
class FinalRun:
    """The last fit and the test of a model.

    Args:
        run: its run directory; empty where it failed.
        memory_gigabytes: the most memory that its process held; None where it is not known.
        error: why it failed; empty where it did not.
    """

    run: str
    memory_gigabytes: float | None = None
    error: str = ""


@dataclass(slots=True)
class ResultDirectory:
    """A leaderboard on disk.

    Args:
        path: the directory.
        overrides: the command line that it was started with.
        minutes: the budget.
        tested: the tested runs by model.
        spent_seconds: of the budget, as last noted.
        stage: that the search has reached (:class:`recsys.studies.leaderboard.schedule.Search`).
        finished: whether the page is written.
    """

    path: Path
    overrides: list[str]
    minutes: float
    tested: dict[str, FinalRun] = field(default_factory=dict)
    spent_seconds: float = 0.0
    stage: int = 0
    finished: bool = False
    _lock: FileLock | None = None

    @classmethod
    def create(cls, parent: Path, name: str, overrides: Sequence[str], minutes: float) -> ResultDirectory:
        """Make a new directory below ``parent``, named by the time and ``name``; none is ever used again.

        Raises:
            RunError: it cannot be made.
        """
        made = cls(new_directory(parent, name, "results", "output"), list(overrides), minutes)
        made._take()
        made.save()
        return made

    @classmethod
    def open(cls, path: Path) -> ResultDirectory:
        """Open the directory of a leaderboard that was interrupted.

        Raises:
            RunError: there is none, it is finished, damaged, or another process works on it.
        """
        state = path / STATE
        if not state.is_file():
            raise RunError(
                f"An interrupted benchmark is required to resume, but {path} has no {STATE}. Give the directory after "
                "'results:'."
            )
        try:
            content: dict[str, Any] = json.loads(state.read_text(encoding="utf-8"))
            tested = {str(name): FinalRun(**run) for name, run in content["tested"].items()}
            overrides, minutes = list(content["overrides"]), float(content["minutes"])
            spent, stage = float(content["spent_seconds"]), int(content["stage"])
            opened = cls(path, overrides, minutes, tested, spent, stage, content["finished"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RunError(f"{state} is damaged ({error}). Start the benchmark again.") from error
        if opened.finished:
            raise RunError(f"The benchmark in {path} is finished; there is nothing to resume. Its page: {path / PAGE}")
        opened._take()
        return opened

    @property
    def report(self) -> Path:
        """Where the page goes."""
        return self.path / PAGE

    @property
    def resume_command(self) -> str:
        """What goes on with it."""
        return f"{typed_command('benchmark_models')} resume={self.path}"

    def reach(self, stage: int, spent_seconds: float) -> None:
        """Keep how far the search has come, and what it has spent of the budget."""
        self.stage, self.spent_seconds = stage, round(spent_seconds, 3)
        self.save()

    def note(self, model: str, tested: FinalRun) -> None:
        """Keep what came of the test of a model."""
        self.tested[model] = tested
        self.save()

    def finish(self) -> None:
        """Mark it as finished."""
        self.finished = True
        self.save()
        self.close()

    def close(self) -> None:
        """Let others work on it."""
        if self._lock is not None:
            self._lock.release()
            (self.path / _LOCK).unlink(missing_ok=True)

    def save(self) -> None:
        """Write ``leaderboard.json`` whole."""
        content = {
            "format_version": FORMAT_VERSION,
            "overrides": self.overrides,
            "minutes": self.minutes,
            "spent_seconds": self.spent_seconds,
            "stage": self.stage,
            "finished": self.finished,
            "tested": {name: asdict(run) for name, run in self.tested.items()},
        }
        partial = self.path / f"{STATE}.partial"
        partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(partial, self.path / STATE)

    def _take(self) -> None:
        lock = FileLock(self.path / _LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise RunError(
                f"The benchmark in {self.path} is at work in another process. Wait for it, or stop it first."
            ) from None
        self._lock = lock
