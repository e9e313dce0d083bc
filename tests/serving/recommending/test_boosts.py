import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recsys_serving.recommending.boosts import (
    MAX_CANDIDATES,
    candidates_needed,
    competing_ranks,
    is_settled,
    parse_boosts,
)
from recsys_serving.recommending.types import Boost

from recsys.errors import RequestError

NEW = {"new": {"any_of": [True]}}
OLD = {"old": {"any_of": [True]}}


def masks(**rows):
    """Gives the mask of the filters on a column, of ten rows."""

    def mask_of(filters):
        mask = np.zeros(10, dtype=bool)
        mask[list(rows[filters.column])] = True
        return mask

    return mask_of


def test_a_factor_divides_the_rank_and_factors_are_multiplied():
    boosts = parse_boosts([Boost(NEW, 2.0), Boost(OLD, 0.5)])
    # ranks 1 to 4 of the rows 7, 3, 5, 1
    competing = competing_ranks(np.array([7, 3, 5, 1]), boosts, masks(new=[5, 1], old=[7, 1]))
    assert competing.tolist() == [2.0, 2.0, 1.5, 4.0]


def test_nothing_is_as_good_as_last():
    competing = competing_ranks(np.array([7, 3]), parse_boosts([Boost(NEW, 0)]), masks(new=[7]))
    assert competing.tolist() == [np.inf, 2.0]


def test_a_factor_of_one_is_no_boost():
    assert parse_boosts([Boost(NEW, 1)]) == () and candidates_needed(10, ()) == 10


def test_lifting_looks_as_far_as_it_can_lift():
    assert candidates_needed(10, parse_boosts([Boost(NEW, 3.0)])) == 30
    assert candidates_needed(10, parse_boosts([Boost(NEW, 3.0), Boost(OLD, 2.0)])) == 60
    assert candidates_needed(10, parse_boosts([Boost(NEW, 0.5)])) == 20
    assert candidates_needed(100, parse_boosts([Boost(NEW, 100.0)])) == MAX_CANDIDATES


@given(
    factors=st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0]), min_size=12, max_size=12),
    k=st.integers(1, 5),
    seen=st.integers(1, 12),
)
def test_a_settled_page_is_that_of_the_whole_list(factors, k, seen):
    def order(number):
        ranks = np.arange(1, number + 1)
        competing = np.array(
            [rank / factor if factor else np.inf for rank, factor in zip(ranks, factors, strict=False)]
        )
        return competing, np.argsort(competing, kind="stable")[:k].tolist()

    boosts = parse_boosts([Boost(NEW, 3.0), Boost(OLD, 0.5)])
    competing, page = order(seen)
    if is_settled(competing, k, boosts):
        assert page == order(12)[1]


@pytest.mark.parametrize(
    ("boosts", "message"),
    [
        ([Boost(NEW, 2.0)] * 21, "may have 20 boosts, but 21 came"),
        ([Boost({}, 2.0)], "needs filters"),
        ([Boost(NEW, True)], "from 0 to 100, but it is True"),
        ([Boost(NEW, float("nan"))], "from 0 to 100, but it is nan"),
        ([Boost(NEW, 101)], "from 0 to 100, but it is 101"),
        ([Boost({"new": 3}, 2.0)], "The filter of the column new"),
    ],
)
def test_a_wrong_boost_says_what_is_wrong(boosts, message):
    with pytest.raises(RequestError, match=message):
        parse_boosts(boosts)
