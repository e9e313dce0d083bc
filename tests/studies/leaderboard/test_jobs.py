from __future__ import annotations

import pytest

from recsys.studies.leaderboard import jobs
from recsys.studies.leaderboard.jobs import look, run_trial
from tests.studies.small_study import SMALL

METRIC = "valid/ndcg@10"


@pytest.fixture
def shared(tmp_path):
    jobs._objective.cache_clear()
    return (*SMALL[:1], *SMALL[2:], f"paths.prepared_dir={tmp_path}/prepared", f"paths.cache_dir={tmp_path}")


def test_models_are_asked_whether_they_fit(shared):
    names = ["ease", "random", "mf", "content", "bias"]
    facts = look(shared, names, METRIC)
    assert (facts.num_users, facts.num_items > 0, facts.num_valid > 0) == (40, True, True)
    assert [(model.name, model.unfit) for model in facts.models] == [(name, "") for name in names]
    assert [model.order for model in facts.models] == [0, 0, 1, 0, 0]
    assert facts.load_seconds > 0
    # What is searched comes from configs/search, and starts where configs/model does.
    ease = facts.models[0]
    assert "model.l2" in ease.space.parameters and ease.start["model.l2"] == 500.0
    assert not facts.models[1].space.parameters


def test_with_ratings_all_share_the_view_that_rating_models_can_be_tested_in(shared):
    assert "view=explicit" in look(shared, ["ease", "bias"], METRIC).overrides
    assert "view=explicit" not in look(shared, ["ease"], METRIC).overrides
    assert look((*shared, "view=implicit"), ["bias"], METRIC).overrides[-1] == "view=implicit"


def test_a_model_that_needs_more_memory_than_is_free_does_not_fit(shared, monkeypatch):
    monkeypatch.setattr(jobs, "available_memory", lambda: 1000)
    ease, popularity = look(shared, ["ease", "popularity"], METRIC).models
    assert "but 0.0 GB of memory are free" in ease.unfit
    assert popularity.unfit == ""


def test_a_trial_has_the_settings_that_were_drawn(shared):
    values = {run_trial(shared, "ease", {"model.l2": l2}, METRIC, 60.0).value for l2 in ("1", "100000")}
    assert len(values) == 2


def test_a_training_with_epochs_is_cut_short_where_its_time_is_up(shared):
    # Any epoch takes longer than nothing; the first one is finished.
    assert run_trial(shared, "mf", {"trainer.max_epochs": "5"}, METRIC, 0.0).best_epoch == 1


def test_the_memory_of_this_process_is_known():
    assert 0.01 < jobs.peak_memory() < 1000
