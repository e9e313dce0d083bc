import json
import math

import numpy as np
import pytest

from recsys.evaluation.ranking_result import RankingResult
from recsys.studies.cold_start.measured import Estimate, Row

RESULT = RankingResult(
    users=np.array([1, 3]),
    per_user={"ndcg@10": np.array([0.5, 0.25])},
    catalogue={},
    segments=(),
    intervals={},
    user_activity=np.array([0, 0]),
    per_user_beyond={
        "novelty@10": np.array([1.0, 2.0]),
        "item_warmth=cold/recall@10": np.array([np.nan, 0.5]),
        "item_popularity=head/recall@10": np.array([np.nan, np.nan]),
    },
)


def test_a_mean_is_over_those_for_whom_it_is_defined():
    estimate = Estimate.of(np.array([0.5, np.nan, 1.0]), num_samples=200, seed=0)
    assert (estimate.mean, estimate.num_users) == (0.75, 2)
    assert 0.5 <= estimate.low < 0.75 < estimate.high <= 1.0


def test_without_a_bootstrap_there_is_no_interval():
    estimate = Estimate.of(np.array([0.5, 1.0]), num_samples=0, seed=0)
    assert math.isnan(estimate.low) and math.isnan(estimate.high)


def test_a_row_has_the_measures_that_are_defined_for_someone():
    row = Row.measured("cold_users", 3, "EASE", RESULT, 0.5, num_samples=0, seed=0)
    assert set(row.estimates) == {"ndcg@10", "item_warmth=cold/recall@10"}
    assert row.estimates["ndcg@10"].mean == 0.375
    assert row.estimates["item_warmth=cold/recall@10"].num_users == 1


def test_a_row_is_json_without_nan():
    rows = [
        Row.measured("cold_users", 3, "EASE", RESULT, 0.5, num_samples=0, seed=0),
        Row("cold_items", None, "EASE", {}, cannot="knows nothing"),
    ]
    measured, cannot = json.loads(json.dumps([row.as_json() for row in rows], allow_nan=False))
    assert measured["estimates"]["ndcg@10"] == pytest.approx({"mean": 0.375, "low": None, "high": None, "num_users": 2})
    assert (measured["num_fold_in"], measured["fit_seconds"], measured["cannot"]) == (3, 0.5, None)
    assert (cannot["cannot"], cannot["fit_seconds"], cannot["estimates"]) == ("knows nothing", None, {})
