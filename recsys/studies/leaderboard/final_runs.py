"""Fits the best settings of each model to training and validation together, and tests them once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from recsys.errors import RunError
from recsys.runs.run_directory import CONFIG, RunDirectory
from recsys.studies.leaderboard.jobs import train
from recsys.studies.leaderboard.result_directory import LOGS, RUNS, FinalRun, ResultDirectory
from recsys.studies.leaderboard.schedule import Standing
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
    found = []
    for standing in sorted(standings, key=lambda standing: -standing.value):
        best, name = standing.best, standing.entrant.name
        if best is not None:
            fixed = [*shared, f"model={name}"]
            found.append(BestOfModel(standing, BestSettings.of(best, metric, fixed, True, len(standing.trials))))
    return found


def final_runs(
    directory: ResultDirectory, best: Sequence[BestOfModel], data: str, worker: Callable[[str], Worker]
) -> Iterator[tuple[BestOfModel, FinalRun]]:
    """Train and test each model that is not tested yet.

    Args:
        directory: keeps what is done.
        best: the settings of each model.
        data: name of the data set.
        worker: gives a fresh worker for the model of this name.

    Yields:
        Each model with its tested run, also those that were there already.
    """
    for model in best:
        if model.name not in directory.tested:
            with worker(model.name) as fresh:
                directory.note(model.name, _test(directory.path, model, data, fresh))
        yield model, directory.tested[model.name]


def _test(path: Path, model: BestOfModel, data: str, worker: Worker) -> FinalRun:
    begun = _interrupted(path / RUNS, f"{model.name}_{data}")
    attempts = [[f"resume={begun}", "show_users=0"]] if begun else []
    error = ""
    for arguments in (*attempts, _arguments(path, model, data)):
        try:
            run, memory = worker.call(train, arguments, path / LOGS / f"{model.name}.txt")
        except RunError as refusal:  # a run that was killed while it was made cannot be resumed
            error = str(refusal)
            worker.stop()
        else:
            return FinalRun(str(run), None if math.isnan(memory) else round(memory, 3))
    return FinalRun("", error=error)


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
