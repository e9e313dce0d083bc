"""Fits the best settings of each model to training and validation together, and tests them once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recsys.errors import RunError
from recsys.runs.run_directory import CONFIG, RunDirectory
from recsys.studies.leaderboard.entrant import Standing
from recsys.studies.leaderboard.jobs import train
from recsys.studies.leaderboard.result_directory import LOGS, RUNS, FinalRun, ResultDirectory
from recsys.studies.leaderboard.worker import Worker
from recsys.studies.tuning.best_settings import BestSettings


@dataclass(frozen=True, slots=True)
class BestOfModel:
    """The best settings that were found for a model.

    Args:
        standing: its trials.
        settings: the best of them, with the command that trains with them.
    """

    standing: Standing
    settings: BestSettings

    @property
    def name(self) -> str:
        """Of the model."""
        return self.standing.entrant.name


def best_of_models(standings: Sequence[Standing], metric: str, shared: Sequence[str]) -> list[BestOfModel]:
    """The best settings of each model that has any, the best model on validation first.

    Args:
        standings: of all models.
        metric: what they were chosen by.
        shared: overrides of all trainings.
    """
    ranked = sorted(standings, key=lambda standing: -standing.value)
    return [best_of(standing, metric, shared) for standing in ranked if standing.best is not None]


def best_of(standing: Standing, metric: str, shared: Sequence[str]) -> BestOfModel:
    """The best settings of a model, which has a result; arguments as for :func:`best_of_models`."""
    best, fixed = standing.best, [*shared, f"model={standing.entrant.name}"]
    assert best is not None, "callers ask only for models with a result"
    return BestOfModel(standing, BestSettings.of(best, metric, fixed, True, len(standing.trials)))


def fit_and_test(
    directory: ResultDirectory, model: BestOfModel, data: str, worker: Worker, limit_seconds: float
) -> FinalRun:
    """Train with the best settings of a model and test it; one that was begun and interrupted is gone on with.

    Args:
        directory: where the run goes; it keeps what came of it.
        model: with its best settings.
        data: name of the data set.
        worker: a fresh one, which is stopped when the time is up.
        limit_seconds: how long it may take; infinite: as long as it takes.
    """
    begun = _interrupted(directory.path / RUNS, f"{model.name}_{data}")
    attempts = [[f"resume={begun}", "show_users=0"]] if begun else []
    limit, error = None if math.isinf(limit_seconds) else limit_seconds, ""
    for arguments in (*attempts, _arguments(directory.path, model, data)):
        log = directory.path / LOGS / f"{model.name}.txt"
        try:
            run, memory = worker.call(train, arguments, log, limit_seconds=limit)
        except RunError as refusal:  # a run that was killed while it was made cannot be resumed
            error = str(refusal)
            worker.stop()
        else:
            tested = FinalRun(str(run), None if math.isnan(memory) else round(memory, 3))
            break
    else:
        tested = FinalRun("", error=error)
    directory.note(model.name, tested)
    return tested


def _arguments(path: Path, model: BestOfModel, data: str) -> list[str]:
    own = [f"name={model.name}_{data}", f"paths.runs_dir={path / RUNS}", "show_users=0"]
    replaced = {override.partition("=")[0] for override in own}
    given = [text for text in model.settings.arguments if text.partition("=")[0] not in replaced]
    return [*given, *own]


def _interrupted(runs: Path, name: str) -> Path | None:
    """The run of a model that was begun and not finished, the latest one; None if there is none."""
    for path in sorted(runs.glob(f"*_{name}"), reverse=True):
        if (path / CONFIG).is_file() and not RunDirectory(path).is_finished:
            return path
    return None
