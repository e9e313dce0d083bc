import json

import numpy as np
import pytest

from recsys.evaluation.ranking_result import RankingResult
from recsys.studies.cold_start.measured import Row

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
