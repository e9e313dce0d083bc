from __future__ import annotations

import pytest

from recsys.cli.configuration import compose_config
from recsys.cli.process import extras
from recsys.errors import RunError, SettingsError
from recsys.studies.leaderboard.command import leaderboard_settings, resume_search, start_search


def settings(*given):
    return leaderboard_settings(compose_config("benchmark_models", given), given)


def test_what_is_for_the_trainings_is_told_from_what_is_not():
    found = settings("data=synthetic", "minutes=2", "trials=5", "seed=3", "k=20", "metric=recall", "tracking=none")
    assert found.shared == ("data=synthetic", "seed=3", "tracking=none")
    assert (found.trials, found.metric, found.comparison.baseline) == (5, "valid/recall@20", "popularity")


def test_all_models_take_part_but_those_that_are_left_out():
    names = settings("data=synthetic").models
    assert {"ease", "hybrid", "two_tower", "bias"} <= set(names) and "random" not in names
    assert settings("models=[mf,ease]").models == ("mf", "ease")
    assert "ease" not in settings("leave_out=[ease]").models


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["models=[ease,oracle]"], "models must be among bayesian_mf, .* but there are oracle"),
        (["model=ease"], "model= has no place here"),
        (["model.l2=3"], "model= has no place here"),
    ],
)
def test_what_makes_no_sense_is_refused(given, message):
    with pytest.raises(RunError, match=message):
        leaderboard_settings(compose_config("benchmark_models", [text for text in given if "l2" not in text]), given)


def test_optuna_is_required_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(extras, "are_installed", lambda *modules: "optuna" not in modules)
    with pytest.raises(SettingsError, match=r"optuna, which is not installed: pip install .*\[tune\]"):
        start_search(compose_config("benchmark_models", given := [f"output={tmp_path}/results"]), given)
    assert not list(tmp_path.iterdir())


def test_one_that_is_gone_on_with_keeps_its_settings(tmp_path):
    config = compose_config("benchmark_models", [f"resume={tmp_path}"])
    with pytest.raises(RunError, match="With resume nothing else may be given, but the command line says minutes=5"):
        resume_search(config, [f"resume={tmp_path}", "minutes=5"])
