import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.splitting.parts import TEST, TRAIN, VALID
from recsys.data.splitting.shares import draw_held_out, share_of


def test_a_share_is_rounded_down_but_is_at_least_one() -> None:
    # 0.1 * (0, 1, 5, 9, 10, 19, 20) = 0, 0.1, 0.5, 0.9, 1, 1.9, 2
    assert share_of(0.1, [0, 1, 5, 9, 10, 19, 20]).tolist() == [0, 1, 1, 1, 1, 1, 2]


def test_a_share_of_zero_is_nothing() -> None:
    assert share_of(0.0, [0, 1, 100]).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("ratio", "count", "share"), [(0.29, 100, 29), (0.57, 100, 57), (0.07, 1_000_000_000, 70_000_000)]
)
def test_a_whole_share_is_not_lost_to_floating_point(ratio: float, count: int, share: int) -> None:
    assert int(share_of(ratio, count)) == share


@given(hundredths=st.integers(1, 99), count=st.integers(0, 10**9))
def test_a_share_agrees_with_whole_number_arithmetic(hundredths: int, count: int) -> None:
    assert int(share_of(hundredths / 100, count)) == (max(hundredths * count // 100, 1) if count else 0)


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
