from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import ExperimentError
from recsys.experiments.interleaving import InterleavedList, team_draft

FIRST, SECOND = ["a", "b", "c", "d"], ["b", "e", "a", "f"]


def lists_of(first, second, k, draws=2000):
    return Counter(
        (drawn.item_ids, drawn.teams) for drawn in (team_draft(first, second, k, seed) for seed in range(draws))
    )


def test_every_way_the_coins_can_fall_by_hand():
    found = lists_of(FIRST, SECOND, 4)
    one, two = "first", "second"
    assert set(found) == {
        (("a", "b", "c", "e"), (one, two, one, two)),
        (("a", "b", "e", "c"), (one, two, two, one)),
        (("b", "a", "c", "e"), (two, one, one, two)),
        (("b", "a", "e", "c"), (two, one, two, one)),
    }
    assert all(400 < count < 600 for count in found.values())


def test_equal_lists_are_credited_to_either_team_alike():
    teams = [drawn.teams for seed in range(1000) if (drawn := team_draft(FIRST, FIRST, 3, seed))]
    assert all(team_draft(FIRST, FIRST, 3, seed).item_ids == ("a", "b", "c") for seed in range(20))
    for place in range(3):
        assert 430 < sum(one[place] == "first" for one in teams) < 570


items = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)


@given(first=items, second=items, k=st.integers(1, 10), seed=st.integers())
@settings(max_examples=200, deadline=None)
def test_a_list_has_each_item_once_and_teams_are_matched(first, second, k, seed):
    drawn = team_draft(first, second, k, seed)
    assert len(set(drawn.item_ids)) == len(drawn.item_ids) == min(k, len({*first, *second}))
    assert set(drawn.item_ids) <= {*first, *second}
    counts = Counter(drawn.teams)
    assert abs(counts["first"] - counts["second"]) <= 1
    for team, ranking in (("first", first), ("second", second)):
        mine = [item for item, owner in zip(drawn.item_ids, drawn.teams, strict=True) if owner == team]
        assert mine == sorted(mine, key=ranking.index)


def test_the_same_seed_gives_the_same_list():
    assert team_draft(FIRST, SECOND, 4, "r1") == team_draft(FIRST, SECOND, 4, "r1")


def test_what_only_one_ranker_has_left_is_credited_to_nobody():
    for seed in range(20):
        drawn = team_draft(["a", "b", "c"], ["d"], 4, seed)
        assert sorted(drawn.item_ids[:2]) == ["a", "d"]
        assert (drawn.item_ids[2:], drawn.teams[2:]) == (("b", "c"), (None, None))


def test_a_pick_that_the_other_team_cannot_match_is_credited_to_nobody():
    for seed in range(20):
        assert team_draft(["a", "b"], ["a"], 2, seed).teams in (("second", "first"), (None, None))


def test_a_list_of_one_ranker_has_no_teams():
    assert team_draft(["a", "b"], [], 5, 0) == InterleavedList(("a", "b"), (None, None))
    assert team_draft([], [], 5, 0) == InterleavedList((), ())


def test_credit_counts_chosen_items_by_team():
    drawn = InterleavedList(("a", "b", "c", "d"), ("first", "second", "second", None))
    assert drawn.credit(["b", "c", "b", "d"]) == (0, 2)
    assert drawn.credit([]) == (0, 0)
    with pytest.raises(ExperimentError, match="x are not in it"):
        drawn.credit(["x"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((FIRST, SECOND, 0, 1), "k is 0"), ((["a", "a"], SECOND, 3, 1), "the first list has some twice")],
    ids=["k", "twice"],
)
def test_wrong_lists_are_refused(arguments, message):
    with pytest.raises(ExperimentError, match=message):
        team_draft(*arguments)
