from __future__ import annotations

import pytest

from recsys.cli.configuration import compose_config
from recsys.studies.tuning.metric import best_direction, default_metric


@pytest.mark.parametrize(
    ("model", "metric"),
    [("biased_mf", "valid/rmse"), ("bayesian_mf", "valid/rmse"), ("ease", "valid/ndcg@10"), ("mf", "valid/ndcg@10")],
)
def test_ratings_are_judged_by_their_error_and_lists_by_what_is_monitored(model, metric):
    assert default_metric(compose_config("train", [f"model={model}"])) == metric


def test_what_is_monitored_may_be_another_metric():
    config = compose_config("train", ["model=ease", "fitting.monitor=valid/recall@20"])
    assert default_metric(config) == "valid/recall@20"


@pytest.mark.parametrize("metric", ["valid/rmse", "valid/mae", "valid/user_activity=low/rmse"])
def test_errors_are_minimised(metric):
    assert best_direction(metric) == "minimize"


def test_shares_are_maximised():
    assert best_direction("sampled-99/hit_rate@10") == "maximize"
