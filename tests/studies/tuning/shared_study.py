"""Workers of one study in processes of their own, which note what they do."""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path

from recsys.studies.tuning.objective import TrialResult
from recsys.studies.tuning.study import Study
from recsys.studies.tuning.study_storage import StudyStorage
from tests.studies.tuning.killed_study import SPACE

TRIALS = 12


def open_study(storage: str, directory: Path, lost_after_seconds: float = 300) -> Study:
    place = StudyStorage.locate(storage, directory, "shared")
    return Study(
        directory, SPACE, {"data": "abc"}, start={"l2": 5.0}, storage=place, lost_after_seconds=lost_after_seconds
    )


def work(storage: str, directory: Path, log: Path, lost_after_seconds: float) -> None:
    """Be a worker until all trials are there."""

    def measure(overrides: dict[str, str], trial: object) -> TrialResult:
        note(log, "begun", overrides["l2"])
        time.sleep(0.3)
        note(log, "ended", overrides["l2"])
        return TrialResult(-abs(float(overrides["l2"]) - 50), 0, 0.3)

    with closing(open_study(storage, directory, lost_after_seconds)) as study:
        study.run(TRIALS, measure, lambda trial: None)


def note(log: Path, what: str, settings: str) -> None:
    with log.open("a", encoding="utf-8") as file:  # a line at once, of which no other process is in the middle
        file.write(f"{what} {settings} {os.getpid()}\n")


def noted(log: Path) -> list[tuple[str, str, int]]:
    lines = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
    return [(what, settings, int(process)) for what, settings, process in map(str.split, lines)]
