from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np

from recsys.evaluation.ranking_result import RankingResult
from recsys.evaluation.segments import Segment
from recsys.evaluation.statistics.significance import Interval

RESULT = RankingResult(
    users=np.array([3, 4]),
    per_user={"ndcg@10": np.array([0.0, 0.5]), "recall@10": np.array([np.nan, 1.0])},
    catalogue={"coverage@10": 0.125, "gini@10": math.nan},
    segments=(
        Segment("user_activity", "low", 2, {"ndcg@10": 0.25}),
        Segment("user_activity", "high", 0, {"ndcg@10": math.nan}),
        Segment("item_popularity", "head", 1, {"recall@10": 0.75}),
    ),
    intervals={"ndcg@10": Interval(0.1, 0.4)},
    user_activity=np.array([0, 0]),
    per_user_beyond={"novelty@10": np.array([3.0, 5.0])},
    known_share=0.25,
)


def test_means_leave_out_users_without_a_value():
    assert RESULT.means() == {"ndcg@10": 0.25, "recall@10": 1.0}


def test_flat_names_and_finite_values_only():
    assert RESULT.flat() == {
        "test/ndcg@10": 0.25,
        "test/recall@10": 1.0,
        "test/ndcg@10_low": 0.1,
        "test/ndcg@10_high": 0.4,
        "test/coverage@10": 0.125,
        "test/user_activity=low/ndcg@10": 0.25,
        "test/item_popularity=head/recall@10": 0.75,
        "test/known_share": 0.25,
    }


def test_a_sample_tells_its_size():
    flat = replace(RESULT, sampled_from=7).flat()
    assert (flat["test/num_users"], flat["test/sampled_from"]) == (2, 7)


def test_the_prefix_is_the_callers():
    assert "valid/ndcg@10" in RESULT.flat("valid")


def test_flat_is_plain_json():
    assert json.loads(json.dumps(RESULT.flat(), allow_nan=False)) == RESULT.flat()
