from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from recsys.data.vocabulary import Vocabulary
from recsys.errors import EvaluationError
from recsys.evaluation.fixed_negatives import FixedNegativesResult
from recsys.evaluation.per_user import per_user_table
from recsys.evaluation.ranking_result import RankingResult

USERS = Vocabulary.from_ids(pa.array(["a", "b", "c", "d", "e"]), "user_id")
RANKING = RankingResult(
    users=np.array([1, 3, 4]),
    per_user={"ndcg@10": np.array([0.5, 0.0, 1.0])},
    catalogue={"coverage@10": 0.5},
    segments=(),
    intervals={},
    user_activity=np.array([2, 0, 1]),
    per_user_beyond={"item_popularity=tail/recall@10": np.array([0.25, np.nan, 0.0])},
)


def fixed(*users: int) -> FixedNegativesResult:
    return FixedNegativesResult(99, np.array(users), {"hit_rate@10": np.arange(len(users)) / 10}, {})


def test_a_row_has_the_external_id_the_segment_and_the_measures_of_a_user():
    assert per_user_table(RANKING, USERS).to_pylist() == [
        {"user_id": "b", "user_activity": "high", "ndcg@10": 0.5, "item_popularity=tail/recall@10": 0.25},
        {"user_id": "d", "user_activity": "low", "ndcg@10": 0.0, "item_popularity=tail/recall@10": None},
        {"user_id": "e", "user_activity": "mid", "ndcg@10": 1.0, "item_popularity=tail/recall@10": 0.0},
    ]


def test_fixed_negatives_are_put_to_their_users_whatever_their_order():
    table = per_user_table(RANKING, USERS, fixed(4, 1))
    assert table["user_id"].to_pylist() == ["b", "d", "e"]
    assert table["sampled-99/hit_rate@10"].to_pylist() == [0.1, None, 0.0]


@pytest.mark.parametrize("users", [(1, 2), (1, 9), (3, 3)])
def test_fixed_negatives_of_other_users_or_of_one_user_twice_are_refused(users):
    with pytest.raises(EvaluationError, match="at most one row for each user of the full ranking, and no other users"):
        per_user_table(RANKING, USERS, fixed(*users))
