"""What a retraining trains and exports."""

from __future__ import annotations

import shutil

import pytest

from recsys.errors import RunError
from recsys.runtime.bundle import TRAINING_SETTINGS
from recsys.studies.retraining.retraining_settings import RetrainingSettings
from recsys.studies.retraining.training_plan import named_plan, plan_of
from recsys.studies.selection.candidate import Candidate
from tests.export.board_bundles import board_bundle

LIVE = Candidate("live", ())
CONTENT = Candidate("content", ("model=content",))


def test_of_the_live_bundle_both_models_are_trained_anew():
    live = board_bundle("ease", ranker="pure_svd")
    plan = plan_of(LIVE, live, RetrainingSettings(train=["data.since=2026-01-01"], export=["popular_days=30"]))
    assert plan.described == "the models of ease" and plan.has_ranker
    assert plan.trainings == {
        "retriever": [f"settings_of={live}/training.yaml", "data.since=2026-01-01"],
        "ranker": [f"settings_of={live}/ranker_training.yaml", "data.since=2026-01-01"],
    }
    assert plan.export == [f"settings_of={live}/export.yaml", "popular_days=30"]


def test_another_model_takes_over_how_data_are_prepared_and_what_lists_may_hold():
    live = board_bundle("ease", ranker="pure_svd")
    plan = plan_of(CONTENT, live, RetrainingSettings(train=["data.since=2026-01-01"]))
    assert plan.described == "content" and not plan.has_ranker
    assert plan.trainings == {
        "retriever": [f"settings_of={live}/training.yaml", "model=content", "data.since=2026-01-01"]
    }
    assert plan.export == [f"settings_of={live}/export.yaml", "index=auto", "rescore=null"]


def test_a_model_that_is_named_has_its_own_settings_alone():
    plan = named_plan(RetrainingSettings(train=["model=content"], export=["popular_days=30"]))
    assert plan.trainings == {"retriever": ["model=content"]} and plan.export == ["popular_days=30"]


def test_a_bundle_that_does_not_say_how_it_was_trained_is_told(tmp_path):
    old = tmp_path / "old"
    shutil.copytree(board_bundle("ease"), old)
    (old / TRAINING_SETTINGS).unlink()
    with pytest.raises(RunError, match="old are to be trained anew, but it has no training.yaml"):
        plan_of(LIVE, old, RetrainingSettings())
