from __future__ import annotations

import inspect

import pytest
from omegaconf import OmegaConf

from recsys.cli.config_directory import CONFIG_DIRECTORY
from recsys.errors import EvaluationError
from recsys.runs.tracking import NoTracker
from recsys.studies.tuning import study_worker as module
from recsys.studies.tuning.objective import TrialResult
from recsys.studies.tuning.study import Study
from recsys.studies.tuning.study_worker import StudyWorker


class Part:
    """Some names, and what they stand for."""

    def __init__(self, **parts: object) -> None:
        self.__dict__.update(parts)


class Data:
    """Stands for an objective, and measures by the settings alone."""

    def __init__(self, config, metric, validation):
        self.metric = metric
        interactions = Part(rating=None, timestamp=None)
        self.view = Part(interactions=interactions)
        self.prepared = Part(schema=Part(name="toy", content_hash="abc"))
        self.split = type("Split", (), {"train": range(1200), "content_hash": lambda self: "def"})()

    def __call__(self, config, listener):
        if config.model.l2 == 666.0:
            raise EvaluationError("the number of the beast")
        listener(1, {self.metric: 0.1})
        return TrialResult(-abs(config.model.l2 - 50), 1, 0.5)


class Tracker(NoTracker):
    def __init__(self):
        self.told = []

    def start(self, run_name, parameters, state, tags):
        self.told.append((run_name, dict(tags)))

    def log_child(self, run_name, parameters, metrics):
        self.told.append(run_name)

    def finish(self, metrics, artifacts):
        self.told.append([path.name for path in artifacts])

    def fail(self):
        self.told.append("failed")


@pytest.fixture
def search(tmp_path, monkeypatch):
    """Makes a search of a toy model; ``lines`` has what it prints."""
    monkeypatch.setattr(module, "Objective", Data)
    monkeypatch.delenv("RECSYS_STUDY_URL", raising=False)

    def make(lines, **changes):
        settings = {"name": "toy", "metric": "valid/ndcg@10", "direction": None, "validation": "split"}
        settings |= {"sampler_seed": 0, "trials": 3, "storage": None, "study_name": "toy", "retries": 2}
        settings |= {"lost_after_seconds": 300, "output": str(tmp_path / "out")}
        settings |= {"search": {"model": {"l2": {"low": 1.0, "high": 1000.0}}}}

        def compose(overrides):
            whole = OmegaConf.create({"model": {"l2": changes.pop("start", 5.0)}})
            return OmegaConf.merge(whole, OmegaConf.from_dotlist(overrides))

        return StudyWorker(OmegaConf.create(settings | changes), {"model": "ease"}, ["seed=1"], compose, lines.append)

    return make


def test_it_tells_each_trial_and_leaves_the_best_settings(search, tmp_path):
    lines, tracker = [], Tracker()
    search(lines).run(None, tracker, tells=True)
    assert lines[0] == "toy: 1,200 training interactions"
    assert [line.split("  ")[0] for line in lines[1:]] == ["trial 1/3", "trial 2/3", "trial 3/3"]
    assert "model.l2=5.0" in lines[1]
    best = OmegaConf.load(tmp_path / "out" / "best.yaml")
    assert best.value == pytest.approx(max(float(line.split()[3]) for line in lines[1:]))
    assert "seed=1" in best.command and "refit=true" in best.command
    assert tracker.told[0] == ("tune toy", {"model": "ease", "data": "toy"})
    assert tracker.told[1:] == ["trial 1", "trial 2", "trial 3", ["best.yaml", "trials.csv"]]


def test_it_tells_how_many_trials_were_there(search):
    search([]).run(None, Tracker(), tells=True)
    lines = []
    search(lines, trials=4).run(None, Tracker(), tells=True)
    assert lines[1] == "3 of 4 trials were there already"
    assert len(lines) == 3


def test_the_default_of_retries_is_that_of_the_study():
    configured = OmegaConf.load(CONFIG_DIRECTORY / "tune.yaml").retries
    assert inspect.signature(Study).parameters["retries"].default == configured


def test_a_companion_tells_its_trials_alone(search):
    lines = []
    search(lines).run(None, Tracker(), tells=False)
    assert all(line.startswith("trial ") for line in lines)


def test_where_the_first_trial_is_refused_the_tracker_is_told(search):
    tracker = Tracker()
    with pytest.raises(EvaluationError, match="beast"):
        search([], start=666.0).run(None, tracker, tells=True)
    assert tracker.told[-1] == "failed"
