from __future__ import annotations

import math
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from recsys.errors import RunError
from recsys.runs.run_directory import RunDirectory
from recsys.studies.leaderboard.entrant import Standing
from recsys.studies.leaderboard.final_runs import best_of_models, fit_and_test
from recsys.studies.leaderboard.result_directory import FinalRun, ResultDirectory
from recsys.studies.leaderboard.worker import Worker
from recsys.studies.tuning.finished_trial import FinishedTrial
from recsys.studies.tuning.objective import TrialResult


class Named:
    searchable = True

    def __init__(self, name):
        self.name = name


def standing(name, *values):
    trials = [
        FinishedTrial(place, {"model.l2": f"{place}.0"}, None if value is None else TrialResult(value, 3, 1.0))
        for place, value in enumerate(values, start=1)
    ]
    return Standing(Named(name), trials)


class Trainer(Worker):
    """Notes the arguments of each training, and refuses those with one of ``refused``."""

    def __init__(self, refused=()):
        super().__init__()
        self.arguments, self.limits, self.refused = [], [], refused

    def call(self, function, arguments, log, limit_seconds=None):
        self.arguments.append(arguments)
        self.limits.append(limit_seconds)
        if any(text.startswith(tuple(self.refused)) for text in arguments if self.refused):
            raise RunError("refused")
        return Path("runs/new"), 1.23456


@pytest.fixture
def directory(tmp_path):
    return ResultDirectory.create(tmp_path, "toy", [], 1.0)


def best(*standings):
    return best_of_models(standings, "valid/ndcg@10", ["data=toy", "trainer.max_epochs=9"])


def test_the_best_model_on_validation_comes_first_with_its_best_settings():
    found = best(standing("a", 0.1, 0.3, 0.2), standing("b", None), standing("c", 0.4))
    assert [model.name for model in found] == ["c", "a"]
    # as many epochs as were best, on validation too
    shared = ["data=toy", "trainer.max_epochs=9", "model=a"]
    assert found[1].settings.arguments == [*shared, "model.l2=2.0", "refit_epochs=3", "refit=true"]


def test_each_is_trained_below_the_results_and_noted(directory):
    trainer = Trainer()
    run = fit_and_test(directory, best(standing("a", 0.1))[0], "toy", trainer, 60.0)
    assert run == FinalRun("runs/new", 1.235)
    assert directory.tested == {"a": run}
    assert trainer.arguments[0][-3:] == ["name=a_toy", f"paths.runs_dir={directory.path}/runs", "show_users=0"]


@pytest.mark.parametrize(("seconds", "limit"), [(60.0, 60.0), (math.inf, None)])
def test_it_is_stopped_when_its_time_is_up(directory, seconds, limit):
    trainer = Trainer()
    fit_and_test(directory, best(standing("a", 0.1))[0], "toy", trainer, seconds)
    assert trainer.limits == [limit]


@pytest.mark.parametrize("refused", [(), ("resume=",)])
def test_a_run_that_was_interrupted_is_gone_on_with_where_it_can_be(directory, refused):
    begun = RunDirectory.create(directory.path / "runs", "a_toy")
    OmegaConf.save(OmegaConf.create({"name": "a_toy"}), begun.config_path)
    trainer = Trainer(refused)
    run = fit_and_test(directory, best(standing("a", 0.1))[0], "toy", trainer, 60.0)
    assert trainer.arguments[0][0] == f"resume={begun.path}"
    assert len(trainer.arguments) == 1 + len(refused)
    assert run.run == "runs/new"


def test_one_that_fails_is_noted_with_its_reason(directory):
    run = fit_and_test(directory, best(standing("b", 0.2))[0], "toy", Trainer(("model=b",)), 60.0)
    assert run == directory.tested["b"] == FinalRun("", error="refused")
