from __future__ import annotations

import multiprocessing
import random
import sys

import pandas as pd
import pytest
from omegaconf import OmegaConf

from recsys.errors import ModelError, RunError
from recsys.studies.tuning.objective import TrialResult
from recsys.studies.tuning.search_space import SearchSpace
from recsys.studies.tuning.study import FinishedTrial, Study
from tests.studies.tuning import killed_study

SPACE = SearchSpace.of(
    OmegaConf.create({"model": {"l2": {"low": 1.0, "high": 1000.0, "log": True}, "norm": {"choices": ["a", "b"]}}}),
    "toy",
)
IDENTITY = {"data": "abc", "metric": "valid/ndcg@10"}


def hill(overrides: dict[str, str]) -> TrialResult:
    """Highest at l2 = 50 and norm = b."""
    l2 = float(overrides["model.l2"])
    value = -abs(l2 - 50) / 1000 + (0.1 if overrides["model.norm"] == "b" else 0.0)
    return TrialResult(value, best_epoch=3, seconds=0.5)


def ignore(trial: FinishedTrial) -> None:
    pass


def drawn(study: Study) -> list[dict[str, str]]:
    return [trial.overrides for trial in study.finished()]


def test_the_best_trial_is_near_the_top_of_the_hill(tmp_path):
    study = Study(tmp_path, SPACE, IDENTITY)
    heard = []
    study.run(30, hill, heard.append)
    best = study.best()
    assert best.overrides["model.norm"] == "b"
    assert 20 < float(best.overrides["model.l2"]) < 120
    assert [trial.number for trial in heard] == list(range(1, 31))
    assert best.result == hill(best.overrides)


def test_the_lowest_is_best_where_it_is_asked_for(tmp_path):
    study = Study(tmp_path, SPACE, IDENTITY, direction="minimize")
    study.run(8, hill, ignore)
    assert study.best().result.value == min(trial.result.value for trial in study.finished())


def test_the_first_trial_has_the_settings_that_are_there(tmp_path):
    study = Study(tmp_path, SPACE, IDENTITY, start={"model.l2": 77.0})
    study.run(2, lambda overrides: hill({"model.norm": "a", **overrides}), ignore)
    # What is not among them stays as it is configured.
    assert drawn(study)[0] == {"model.l2": "77.0"}
    assert set(drawn(study)[1]) == {"model.l2", "model.norm"}


@pytest.mark.parametrize("start", [{"model.l2": 77.0}, {}])
def test_a_first_trial_that_was_interrupted_is_repeated(tmp_path, start):
    def cut_off(overrides):
        raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            Study(tmp_path, SPACE, IDENTITY, start=start).run(1, cut_off, ignore)
    study = Study(tmp_path, SPACE, IDENTITY, start=start)
    study.run(2, lambda overrides: hill({"model.norm": "a", "model.l2": "1", **overrides}), ignore)
    assert drawn(study)[0] == {name: str(value) for name, value in start.items()}


def test_the_same_seed_draws_the_same_and_another_others(tmp_path):
    studies = [Study(tmp_path / str(place), SPACE, IDENTITY, seed=seed) for place, seed in enumerate((4, 4, 5))]
    for study in studies:
        study.run(4, hill, ignore)
    assert drawn(studies[0]) == drawn(studies[1])
    assert drawn(studies[0]) != drawn(studies[2])


def test_an_interrupted_study_goes_on_as_if_it_had_not_been(tmp_path):
    whole = Study(tmp_path / "whole", SPACE, IDENTITY)
    whole.run(14, hill, ignore)

    def cut_off(overrides):
        if len(halved.finished()) == 12:
            raise KeyboardInterrupt
        return hill(overrides)

    halved = Study(tmp_path / "halved", SPACE, IDENTITY)
    with pytest.raises(KeyboardInterrupt):
        halved.run(14, cut_off, ignore)
    again = Study(tmp_path / "halved", SPACE, IDENTITY)
    again.run(14, hill, ignore)
    assert drawn(again) == drawn(whole)
    assert again.best() == whole.best()


def test_a_finished_study_runs_nothing_more(tmp_path):
    Study(tmp_path, SPACE, IDENTITY).run(2, hill, ignore)
    Study(tmp_path, SPACE, IDENTITY).run(2, lambda overrides: pytest.fail("was run"), ignore)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"identity": {**IDENTITY, "data": "xyz"}}, "data"),
        ({"seed": 9}, "seed"),
        ({"direction": "minimize"}, "direction"),
    ],
)
def test_another_search_in_the_same_place_is_refused(tmp_path, changed, named):
    Study(tmp_path, SPACE, IDENTITY).run(1, hill, ignore)
    arguments = {"identity": IDENTITY, **changed}
    if named == "direction":
        match = "direction"
    else:
        match = f"is of another {named}, so its trials cannot be compared"
    with pytest.raises(RunError, match=match):
        Study(tmp_path, SPACE, **arguments)


def test_a_trial_that_is_refused_does_not_end_the_search(tmp_path):
    def fragile(overrides):
        if overrides["model.norm"] == "a":
            raise ModelError("norm a cannot be fitted")
        return hill(overrides)

    study = Study(tmp_path, SPACE, IDENTITY, start={"model.norm": "b", "model.l2": 50.0})
    study.run(6, fragile, ignore)
    failed = [trial for trial in study.finished() if trial.result is None]
    assert failed and all(trial.error == "norm a cannot be fitted" for trial in failed)
    assert study.best().overrides["model.norm"] == "b"
    table = pd.read_csv(tmp_path / "trials.csv")
    assert list(table["trial"]) == [1, 2, 3, 4, 5, 6]
    assert table["value"].isna().sum() == len(failed)
    assert set(table["error"].dropna()) == {"norm a cannot be fitted"}


def test_a_search_whose_first_trial_is_refused_ends_there(tmp_path):
    def refuse(overrides):
        raise ModelError("no such thing")

    with pytest.raises(ModelError, match="no such thing"):
        Study(tmp_path, SPACE, IDENTITY).run(5, refuse, ignore)
    with pytest.raises(RunError, match="All trials .* failed; trials.csv there says why"):
        Study(tmp_path, SPACE, IDENTITY).best()


def test_a_direction_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(RunError, match="direction must be maximize or minimize, but it is up"):
        Study(tmp_path, SPACE, IDENTITY, direction="up")


def test_without_optuna_it_is_said_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(
        RunError, match=r"Tuning needs Optuna, which is not installed. Run pip install 'recsys-framework\[tune\]'"
    ):
        Study(tmp_path, SPACE, IDENTITY)


class TestLine:
    BEST = FinishedTrial(4, {"model.l2": "5.0"}, TrialResult(0.31, best_epoch=0, seconds=2.04))

    def test_a_trial_is_told_beside_the_best(self):
        trial = FinishedTrial(7, {"model.l2": "9.0", "loss": "bpr"}, TrialResult(0.25, best_epoch=12, seconds=1.0))
        assert trial.line("valid/ndcg@10", 30, self.BEST) == (
            "trial  7/30  valid/ndcg@10 0.2500 (best 0.3100, trial 4)  1.0 s, epoch 12  model.l2=9.0 loss=bpr"
        )

    def test_a_model_without_epochs_has_none(self):
        assert "epoch" not in self.BEST.line("valid/ndcg@10", 30, self.BEST)

    def test_a_trial_that_failed_says_why(self):
        line = FinishedTrial(5, {"model.l2": "0"}, None, "l2 must be above 0").line("valid/rmse", 9, self.BEST)
        assert line == "trial 5/9  valid/rmse failed: l2 must be above 0  model.l2=0"


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="processes are forked here")
def test_a_process_that_is_killed_at_random_moments_comes_to_the_same_end(tmp_path):
    whole = drawn(killed_study.run(tmp_path / "whole", 13))
    moments = random.Random(0)
    context = multiprocessing.get_context("fork")
    for _ in range(5):
        process = context.Process(target=killed_study.run, args=(tmp_path / "cut", 13))
        process.start()
        process.join(moments.uniform(0.05, 0.6))
        process.kill()
        process.join()
    assert drawn(killed_study.run(tmp_path / "cut", 13)) == whole
