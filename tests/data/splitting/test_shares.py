from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.splitting.parts import TEST, TRAIN, VALID
from recsys.data.splitting.shares import ROUNDINGS, Rounding, draw_held_out, share_of


def test_a_share_is_rounded_down_but_is_at_least_one() -> None:
    # 0.1 * (0, 1, 5, 9, 10, 19, 20) = 0, 0.1, 0.5, 0.9, 1, 1.9, 2
    assert share_of(0.1, [0, 1, 5, 9, 10, 19, 20]).tolist() == [0, 1, 1, 1, 1, 1, 2]


def test_a_share_can_be_rounded_up() -> None:
    # 0.1 * (0, 1, 5, 10, 11, 19, 20, 21) = 0, 0.1, 0.5, 1, 1.1, 1.9, 2, 2.1
    assert share_of(0.1, [0, 1, 5, 10, 11, 19, 20, 21], "up").tolist() == [0, 1, 1, 1, 2, 2, 2, 3]


def test_a_share_can_be_rounded_to_the_nearest_with_halves_up_and_is_at_least_one() -> None:
    # 0.1 * (0, 1, 4, 5, 14, 15, 16) = 0, 0.1, 0.4, 0.5, 1.4, 1.5, 1.6
    assert share_of(0.1, [0, 1, 4, 5, 14, 15, 16], "nearest").tolist() == [0, 1, 1, 1, 1, 2, 2]


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_a_share_of_zero_is_nothing(rounding: Rounding) -> None:
    assert share_of(0.0, [0, 1, 100], rounding).tolist() == [0, 0, 0]


# In floating point the products are 28.999999999999996, 56.99999999999999, 7.000000000000001, 70000000.00000001.
@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize(
    ("ratio", "count", "share"), [(0.29, 100, 29), (0.57, 100, 57), (0.07, 100, 7), (0.07, 1_000_000_000, 70_000_000)]
)
def test_a_whole_share_is_not_changed_by_floating_point(
    ratio: float, count: int, share: int, rounding: Rounding
) -> None:
    assert int(share_of(ratio, count, rounding)) == share


@given(hundredths=st.integers(1, 99), count=st.integers(0, 10**9))
def test_a_share_agrees_with_whole_number_arithmetic(hundredths: int, count: int) -> None:
    down, rest = divmod(hundredths * count, 100)
    assert int(share_of(hundredths / 100, count)) == (max(down, 1) if count else 0)
    assert int(share_of(hundredths / 100, count, "up")) == down + (rest > 0)
    assert int(share_of(hundredths / 100, count, "nearest")) == (max(down + (rest >= 50), 1) if count else 0)


@given(ratio=st.floats(0, 1, exclude_max=True), count=st.integers(0, 10**6))
def test_a_share_is_within_one_of_the_ratio(ratio: float, count: int) -> None:
    exact, slack = Fraction(ratio) * count, Fraction(1, 10**5)  # the slack is relative, 1e-12 of at most 1e6
    down, up = int(share_of(ratio, count)), int(share_of(ratio, count, "up"))
    assert down <= up <= down + 1
    assert exact - 1 - slack < down <= max(exact + slack, 1)
    assert exact - slack <= up < exact + 1 + slack


def test_held_out_indices_are_drawn_among_the_candidates() -> None:
    candidates = np.array([2, 3, 5, 7, 11, 13, 17, 19, 23, 29])
    part = draw_held_out(candidates, 31, 0.3, 0.2, np.random.default_rng(0))
    assert part.shape == (31,)
    assert set(np.flatnonzero(part != TRAIN).tolist()) <= set(candidates.tolist())
    assert np.bincount(part, minlength=3).tolist() == [26, 2, 3]


def test_each_candidate_is_as_likely_as_any_other() -> None:
    # 4000 draws of 2 of 5 for test: 1600 for each. The 0.999 quantile of chi-square with 4 degrees of freedom is 18.47
    # (draws without replacement vary less).
    generator = np.random.default_rng(1)
    counts = sum((draw_held_out(np.arange(5), 5, 0.4, 0.2, generator) == TEST).astype(int) for _ in range(4000))
    assert ((np.asarray(counts) - 1600) ** 2 / 1600).sum() < 18.47


def test_test_is_served_before_validation() -> None:
    part = draw_held_out(np.array([1]), 3, 0.1, 0.1, np.random.default_rng(0))
    assert part.tolist() == [TRAIN, TEST, TRAIN]
    assert VALID not in part
