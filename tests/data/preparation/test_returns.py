import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.preparation.returns import Returns, cancel_returns, net_of_returns
from tests.data.preparation.made_interactions import NUM_ITEMS, PAIRS, listed, make


def test_returns_cancel_the_oldest_purchases() -> None:
    # User 0 buys 2, 3 and 1 of item 1 and returns 4: the two go whole, two of the three go, the one stays.
    rows = make([(0, 1), (0, 1), (1, 0), (0, 1), (0, 1)], timestamp=[1, 2, 2, 3, 4], weight=[2, 3, 7, -4, 1])
    kept, rule = cancel_returns(rows)
    assert (listed(kept.timestamp), listed(kept.weight)) == ([2, 2, 4], [1, 7, 1])
    assert rule is not None and rule.removed == {"interactions": 2}
    assert rule.note == "1 with a negative weight cancel 1 whole and 1 in part"


def test_what_is_returned_whole_is_gone() -> None:
    kept, rule = cancel_returns(make([(0, 1), (0, 1), (2, 2), (3, 3)], weight=[0.3, -0.3, 1, -1]))
    assert kept.pairs.tolist() == [2 * NUM_ITEMS + 2]
    assert rule is not None and rule.note.endswith("1 pairs of a user and an item return more than they have")


def test_weights_above_zero_are_left_alone() -> None:
    rows = make([(0, 1), (0, 1)], weight=[3, 4])
    assert cancel_returns(rows) == (rows, None)
    assert cancel_returns(make([(0, 1)]))[1] is None


@given(PAIRS, st.data())
def test_what_stays_is_the_net_weight_of_each_pair(pairs: list[tuple[int, int]], data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.integers(-4, 4), min_size=len(pairs), max_size=len(pairs)))
    kept, _ = cancel_returns(make(pairs, weight=weights))
    net = pd.Series(weights).groupby([user * NUM_ITEMS + item for user, item in pairs]).sum()
    found = pd.Series(kept.weight).groupby(kept.pairs).sum()
    assert found.to_dict() == net[net > 0].to_dict()
    assert (kept.weight > 0).all()


@given(PAIRS, st.data())
def test_each_user_is_cancelled_alike_whoever_is_beside_them(pairs: list[tuple[int, int]], data: st.DataObject) -> None:
    # Weights whose sums are rounded: a sum over all users would round one user's by what others have.
    weights = data.draw(st.lists(st.floats(-1e6, 1e6, width=32), min_size=len(pairs), max_size=len(pairs)))
    rows = make(pairs, weight=weights)
    together, _, counts = net_of_returns(rows)
    alone, sums = [], Returns()
    for user in range(int(rows.user_index.max()) + 1):
        left, _, returns = net_of_returns(rows.take(rows.user_index == user))
        alone += list(zip(left.pairs.tolist(), listed(left.weight), strict=True))
        sums += returns
    assert sorted(alone) == sorted(zip(together.pairs.tolist(), listed(together.weight), strict=True))
    assert sums == counts


def test_many_returns_of_one_pair_are_added_up_in_their_order() -> None:
    weights = np.random.default_rng(0).normal(1, 2, size=200).astype(np.float32)
    kept, _, _ = net_of_returns(make([(0, 0)] * 200, weight=weights.tolist()))
    bought, returned = (
        np.where(weights > 0, weights, 0).astype(np.float64),
        -weights[weights < 0].astype(np.float64).sum(),
    )
    left = np.clip(np.cumsum(bought) - returned, 0, bought)  # the oldest go first
    np.testing.assert_allclose(kept.weight, left[left > 1e-5 * bought], rtol=1e-6)
