"""A study in a process that can be killed at any moment."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from omegaconf import OmegaConf

from recsys.studies.tuning.objective import TrialResult
from recsys.studies.tuning.search_space import SearchSpace
from recsys.studies.tuning.study import Study

SPACE = SearchSpace.of(OmegaConf.create({"l2": {"low": 1.0, "high": 1000.0, "log": True}}), "toy")


def measure(overrides: dict[str, str], trial: object) -> TrialResult:
    time.sleep(0.01)
    return TrialResult(-abs(float(overrides["l2"]) - 50), 0, 0.0)


def run(directory: Path, trials: int) -> Study:
    study = Study(directory, SPACE, {"data": "abc"}, start={"l2": 5.0}, retries=9)
    study.run(trials, measure, lambda trial: None)
    return study


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]))
