import math

import pandas as pd
import pytest

from recsys.studies.newer_data.held_out import HeldOut
from recsys.studies.newer_data.scoring import measured
from tests.studies.newer_data.small_shop import contestant


def pairs(*found):
    return pd.DataFrame(found, columns=["user_id", "item_id"])


HELD_OUT = HeldOut("newer", pairs(("u1", "b"), ("u1", "c"), ("u2", "d")), pairs(("u1", "a")), 3, 0, 0, 0, 0, {}, {})


def test_lists_are_measured_for_each_user_without_what_anybody_knows():
    lists = {"u1": ["a", "c", "e", "b"], None: ["e", "f", "d"]}
    run = measured(contestant("one", [("u1", "a")], lists), HELD_OUT, k=2)
    rows = run.per_user.set_index("user_id")
    # u1 gets c, e: one of two found, at rank 1; u2 is a stranger and gets e, f.
    assert rows.loc["u1", "recall@2"] == 0.5
    assert rows.loc["u1", "precision@2"] == 0.5
    assert rows.loc["u1", "ndcg@2"] == pytest.approx(1 / (1 + 1 / math.log2(3)))
    assert rows.loc["u2", "ndcg@2"] == 0
    assert run.metrics == {"test/coverage@2": 3 / 6}  # c, e, f of six


def test_a_list_shorter_than_asked_for_is_padded_with_misses():
    run = measured(contestant("one", [("u1", "a")], {"u1": ["b"], None: ["d"]}), HELD_OUT, k=3)
    assert run.per_user["precision@3"].tolist() == [pytest.approx(1 / 3)] * 2
