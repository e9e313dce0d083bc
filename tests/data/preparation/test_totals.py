import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.preparation.totals import ExactMean, InteractionTotals
from recsys.data.schema import RatingScale, TimeRange
from tests.data.preparation.made_interactions import make

NUMBERS = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=30)


@given(NUMBERS, st.integers(1, 7))
def test_the_mean_is_exact_whatever_the_parts_are(numbers: list[float], part_size: int) -> None:
    mean = ExactMean()
    for start in range(0, len(numbers), part_size):
        mean.add(np.array(numbers[start : start + part_size], dtype=np.float32))
    exact = sum(map(Fraction, numbers), Fraction(0)) / len(numbers)
    assert mean.scale() == RatingScale(min(numbers), max(numbers), float(exact))


def test_zero_below_zero_is_written_as_zero() -> None:
    mean = ExactMean()
    mean.add(np.array([-0.0], dtype=np.float32))
    assert math.copysign(1, mean.scale().min) == 1


def test_parts_add_up() -> None:
    rows = make([(0, 0), (0, 1), (1, 1)], rating=[1, 4, 4], timestamp=[9, 3, 5], fold=[0, 2, 0], weight=[1, 2, 6])
    totals = InteractionTotals(positive_threshold=4)
    for part in (slice(0, 2), slice(2, 2), slice(2, 3)):
        totals.add(rows.take(np.arange(3)[part]))
    assert (totals.num_interactions, totals.num_positives) == (3, 2)
    assert totals.scale("rating") == RatingScale(1, 4, 3)
    assert totals.scale("weight") == RatingScale(1, 6, 3)
    assert totals.time == TimeRange(3, 9)
    assert totals.folds == {"train": 2, "valid": 0, "test": 1}


def test_what_the_data_do_not_have_is_none() -> None:
    totals = InteractionTotals(None)
    totals.add(make([(0, 0)]))
    assert (totals.scale("rating"), totals.scale("weight"), totals.time, totals.folds) == (None, None, None, None)
    assert totals.num_positives == pytest.approx(1)
