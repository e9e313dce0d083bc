"""A finished trial of a study, its line of text, the table of all of them, and which of them were given up."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from recsys.cli.whole_files import shared_file
from recsys.studies.tuning.objective import TrialResult

TRIALS = "trials.csv"


@dataclass(frozen=True, slots=True)
class FinishedTrial:
    """A finished trial with its result.

    Args:
        number: its place in the study, from 1; that of a trial which was begun again is that of the first attempt.
        overrides: settings as written on the command line.
        result: value, best epoch and time; None if the trial failed.
        error: why it failed; empty if it did not.
        wall_seconds: all that the trial took, failed or not; 0 if it is not known.
        attempts: how often it was begun, as a worker may be stopped in the middle.
        lost_workers: how many workers were killed or crashed in it; those that a user stopped do not count.
        is_given_up: whether it has no result because it cost as many workers as it may.
    """

    number: int
    overrides: dict[str, str]
    result: TrialResult | None
    error: str = ""
    wall_seconds: float = field(default=0.0, compare=False)
    attempts: int = field(default=1, compare=False)
    lost_workers: int = field(default=0, compare=False)
    is_given_up: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether it has a result, and was not pruned."""
        return self.result is not None and not self.result.pruned

    def line(self, metric: str, trials: int, best: FinishedTrial | None) -> str:
        """A line of text: its value, the best so far, time, epoch and settings; or why it failed.

        Args:
            metric: the optimised metric.
            trials: how many there are to be.
            best: the best trial that was not pruned; None where there is none yet.
        """
        found = f"failed: {self.error}"
        if self.result is not None:
            found = f"{self.result.value:.4f}"
            if best is not None and best.result is not None:
                found += f" (best {best.result.value:.4f}, trial {best.number})"
            found += f"  {self.result.seconds:.1f} s" + f", epoch {self.result.best_epoch}" * (
                self.result.best_epoch > 0
            )
            found += ", pruned" * self.result.pruned
        settings = " ".join(f"{name}={value}" for name, value in self.overrides.items())
        return f"trial {self.number:>{len(str(trials))}}/{trials}  {metric} {found}  {settings}"


def write_trials(trials: Sequence[FinishedTrial], directory: Path) -> None:
    """Write ``trials.csv``, a row for each trial; workers that share the directory may do it at once."""
    rows = [
        {
            "trial": trial.number,
            "value": trial.result.value if trial.result else None,
            "best_epoch": trial.result.best_epoch if trial.result else None,
            "seconds": round(trial.result.seconds, 3) if trial.result else None,
            **trial.overrides,
            "pruned": bool(trial.result and trial.result.pruned),
            "attempts": trial.attempts,
            "lost_workers": trial.lost_workers,
            "given_up": trial.is_given_up,
            "error": trial.error,
        }
        for trial in trials
    ]
    if rows:
        with shared_file(directory / TRIALS) as partial:
            pd.DataFrame(rows).to_csv(partial, index=False)


def given_up_message(directory: Path) -> str:
    """Which trials of a table were given up, and how they are tried again.

    Args:
        directory: in which :func:`write_trials` has written the table.

    Returns:
        Sentences for a user; empty where no trial was given up.
    """
    path = directory / TRIALS
    if not path.is_file():
        return ""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["given_up"] == "True"]
    if not rows:
        return ""
    one, numbers = len(rows) == 1, ", ".join(row["trial"] for row in rows)
    retries = max(int(row["lost_workers"]) for row in rows)
    return (
        f"{f'trial {numbers} was' if one else f'trials {numbers} were'} given up, as all workers that began "
        f"{'it' if one else 'them'} were killed or crashed, perhaps for want of memory; the settings are in {path}. "
        f"The same command with retries={retries} tries once more. Where memory is short, narrow the search instead."
    )
