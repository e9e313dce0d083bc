import math
from dataclasses import replace

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


def test_what_is_known_is_found_again_where_the_contestant_shows_it():
    held_out = replace(HELD_OUT, pairs=pairs(("u1", "a"), ("u1", "b"), ("u2", "d")), repeats="keep")
    lists = {"u1": ["a", "e"], None: ["d"]}
    rows = measured(contestant("one", [("u1", "a")], lists), held_out, k=2).per_user.set_index("user_id")
    assert rows["recall@2"].tolist() == [0.5, 1.0]
    # a was known, b was not; the stranger u2 knew nothing.
    assert rows["target=repeated/recall@2"].tolist() == pytest.approx([1.0, math.nan], nan_ok=True)
    assert rows["target=new/recall@2"].tolist() == [0.0, 1.0]


def test_a_user_is_asked_for_at_the_time_of_their_newer_interactions():
    one = contestant("one", [("u1", "a")], {None: ["d"]})
    measured(one, replace(HELD_OUT, repeats="keep", times={"u1": 70}), k=2)
    assert [(request.user_id, request.now) for request in one.recommender.requests] == [("u1", 70), ("u2", None)]
