import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.interactions import Interactions
from recsys.data.weight_transform import WeightTransform, transform_weights


def rows(pairs: list[tuple[int, int]], weights: list[float] | None) -> Interactions:
    users, items = np.array(pairs, dtype=np.int32).T
    weight = None if weights is None else np.array(weights, dtype=np.float32)
    return Interactions(users.copy(), items.copy(), None, None, None, 4, 4, weight)


def test_the_sum_of_a_pair_is_transformed_and_its_events_keep_their_proportions() -> None:
    weight = transform_weights(rows([(0, 1), (2, 2), (0, 1)], [1, 1, 3]), "log1p").weight
    assert weight is not None
    assert weight.tolist() == pytest.approx([math.log(5) / 4, math.log(2), 3 * math.log(5) / 4])


def test_weights_stay_or_are_left_out() -> None:
    given_rows = rows([(0, 1), (2, 2)], [1, 7])
    assert transform_weights(given_rows, "none") is given_rows
    assert transform_weights(given_rows, "binary").weight is None


@pytest.mark.parametrize("transform", ["none", "log1p", "binary"])
def test_without_weights_nothing_is_done(transform: WeightTransform) -> None:
    given_rows = rows([(0, 1)], None)
    assert transform_weights(given_rows, transform) is given_rows


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 9)), min_size=1, max_size=20))
def test_events_and_their_aggregate_count_the_same(events: list[tuple[int, int, int]]) -> None:
    sums: dict[tuple[int, int], float] = {}
    for user, item, weight in events:
        sums[user, item] = sums.get((user, item), 0) + weight
    split = transform_weights(rows([event[:2] for event in events], [event[2] for event in events]), "log1p")
    assert split.weight is not None
    for (user, item), total in sums.items():
        found = split.weight[(split.user_index == user) & (split.item_index == item)].sum()
        assert found == pytest.approx(math.log1p(total), rel=1e-5)
