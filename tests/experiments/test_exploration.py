from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import ExperimentError
from recsys.experiments.exploration import (
    ExplorationPolicy,
    ExplorationPool,
    explore,
    inclusion_probabilities,
    systematic_sample,
)

ITEMS = [f"i{number}" for number in range(6)]
NAMES = ["p1", "p2", "p3", "p4"]
UNIFORM = ExplorationPool(NAMES)
THOMPSON = ExplorationPool.thompson(NAMES, successes=[9, 3, 1, 0], failures=[11, 17, 19, 2])
POLICY = ExplorationPolicy(slots=[1, 4], epsilon=0.6)


def lists_of(pool, draws=6000):
    generator = np.random.default_rng(0)
    return [explore(ITEMS, pool, POLICY, generator) for _ in range(draws)]


def test_a_uniform_slot_has_the_propensities_of_its_definition():
    drawn = explore(ITEMS, UNIFORM, ExplorationPolicy(slots=[2], epsilon=1.0), np.random.default_rng(1))
    assert drawn.item_ids[2] in NAMES
    assert drawn.propensities == (1.0, 1.0, 0.25, 1.0, 1.0, 1.0)
    assert drawn.explored == (False, False, True, False, False, False)


@pytest.mark.parametrize("pool", [UNIFORM, THOMPSON], ids=["uniform", "thompson"])
def test_items_are_shown_as_often_as_their_propensities_say(pool):
    lists = lists_of(pool)
    for slot in POLICY.slots:
        stated = {drawn.item_ids[slot]: drawn.propensities[slot] for drawn in lists}
        shown = Counter(drawn.item_ids[slot] for drawn in lists)
        assert sum(stated.values()) == pytest.approx(1)
        assert set(shown) == {ITEMS[slot], *NAMES}
        for item, propensity in stated.items():
            assert shown[item] / len(lists) == pytest.approx(propensity, abs=4 * (propensity / len(lists)) ** 0.5)


def test_the_propensity_of_an_item_in_a_slot_is_always_the_same():
    pairs = {
        (slot, drawn.item_ids[slot], drawn.propensities[slot]) for drawn in lists_of(THOMPSON, 500) for slot in (1, 4)
    }
    assert len(pairs) == 10


def test_other_places_are_left_alone():
    for drawn in lists_of(UNIFORM, 200):
        assert [drawn.item_ids[place] for place in (0, 2, 3, 5)] == ["i0", "i2", "i3", "i5"]
        assert len(set(drawn.item_ids)) == 6


def test_thompson_shows_what_may_be_the_best_more_often():
    counts = Counter(item for drawn in lists_of(THOMPSON, 1000) for item in drawn.item_ids if item in NAMES)
    assert counts["p1"] > counts["p2"] > counts["p3"] > 0
    assert counts["p4"] > counts["p3"]  # less is known of it


def test_a_policy_makes_the_pool_of_its_method():
    counts = [9, 3, 1, 0], [11, 17, 19, 2]
    uniform, thompson = (ExplorationPolicy(method=method).pool(NAMES, *counts) for method in ("uniform", "thompson"))
    assert uniform.weights.tolist() == [1, 1, 1, 1]
    assert thompson.weights.tolist() == THOMPSON.weights.tolist()


def test_no_item_is_left_out_however_bad():
    pool = ExplorationPool.thompson(["good", "bad"], successes=[900, 1], failures=[100, 999], uniform_share=0.2)
    assert pool.weights == pytest.approx([0.9, 0.1])


def test_items_of_the_list_are_not_drawn():
    pool = ExplorationPool(["i0", "p1", "p2"], weights=[98, 1, 1])
    drawn = explore(ITEMS, pool, ExplorationPolicy(slots=[3], epsilon=1.0), np.random.default_rng(0))
    assert drawn.item_ids[3] in ("p1", "p2") and drawn.propensities[3] == pytest.approx(0.5)


@pytest.mark.parametrize("pool", [["p1"], []], ids=["one", "none"])
def test_slots_for_which_the_pool_has_no_items_explore_nothing(pool):
    policy = ExplorationPolicy(slots=[1, 4, 99], epsilon=1.0)
    drawn = explore(ITEMS, ExplorationPool(pool), policy, np.random.default_rng(0))
    assert sum(drawn.explored) == len(pool)
    assert drawn.item_ids[4] == "i4" and drawn.propensities[4] == 1.0


@given(weights=st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=12), data=st.data())
@settings(max_examples=100, deadline=None)
def test_inclusion_probabilities_add_up_and_are_drawn_once(weights, data):
    number = data.draw(st.integers(1, len(weights)))
    inclusion = inclusion_probabilities(np.array(weights), number)
    assert inclusion.sum() == pytest.approx(number)
    assert ((inclusion > 0) & (inclusion <= 1 + 1e-12)).all()
    below = inclusion < 1 - 1e-12
    if below.any():
        scale = (inclusion / weights)[below]
        assert scale == pytest.approx(np.full(below.sum(), scale[0]))
        assert (np.array(weights)[~below] * scale[0] >= 1 - 1e-9).all()
    sample = systematic_sample(inclusion, np.random.default_rng(data.draw(st.integers(0, 99))))
    assert len(set(sample)) == number and sample.max() < len(weights)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"slots": []}, "positions from 0 in ascending order"),
        ({"slots": [3, 3]}, "positions from 0 in ascending order"),
        ({"slots": [-1]}, "positions from 0 in ascending order"),
        ({"epsilon": 1.1}, "epsilon must be from 0 to 1"),
        ({"method": "greedy"}, "must be one of uniform, thompson"),
    ],
    ids=["none", "equal", "negative", "epsilon", "method"],
)
def test_a_wrong_policy_is_refused(values, message):
    with pytest.raises(ExperimentError, match=message):
        ExplorationPolicy(**values)


def test_wrong_lists_and_pools_are_refused():
    with pytest.raises(ExperimentError, match="must be in a list only once"):
        explore(["a", "a"], UNIFORM, POLICY, np.random.default_rng(0))
    with pytest.raises(ExperimentError, match="must be in the pool only once"):
        ExplorationPool(["p", "p"])
    with pytest.raises(ExperimentError, match="each of the 2 items of the pool needs a weight above 0; shape .1. came"):
        ExplorationPool(["p", "q"], weights=[1])
    with pytest.raises(ExperimentError, match="the smallest 0"):
        ExplorationPool(["p", "q"], weights=[1, 0])
    with pytest.raises(ExperimentError, match="uniform_share must be from"):
        ExplorationPool.thompson(["p"], [1], [1], uniform_share=0)
