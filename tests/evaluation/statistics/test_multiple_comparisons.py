from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import EvaluationError
from recsys.evaluation.statistics.multiple_comparisons import CORRECTIONS, benjamini_hochberg, holm, uncorrected

P_VALUES = st.lists(st.floats(0, 1), max_size=12)


def test_holm_by_hand():
    # ascending .01 .02 .03 .04, times 4 3 2 1: .04 .06 .06 .04, and none below the one before: .04 .06 .06 .06
    np.testing.assert_allclose(holm(np.array([0.03, 0.01, 0.04, 0.02])), [0.06, 0.04, 0.06, 0.06])


def test_benjamini_hochberg_by_hand():
    # ascending .01 .02 .03 .50, times 4/1 4/2 4/3 4/4: .04 .04 .04 .50
    np.testing.assert_allclose(benjamini_hochberg(np.array([0.03, 0.01, 0.50, 0.02])), [0.04, 0.04, 0.50, 0.04])


def test_without_correction_they_stay():
    np.testing.assert_array_equal(uncorrected(np.array([0.03, 0.01])), [0.03, 0.01])


@given(P_VALUES)
def test_holm_is_monotone_and_no_smaller_than_raw_and_no_larger_than_bonferroni(drawn):
    raw = np.array(drawn)
    corrected = holm(raw)
    assert (corrected >= raw).all()
    assert (corrected <= np.minimum(1.0, len(raw) * raw) + 1e-12).all()
    assert (np.diff(corrected[np.argsort(raw, kind="stable")]) >= 0).all()


@given(P_VALUES)
def test_benjamini_hochberg_lies_between_raw_and_holm(drawn):
    raw = np.array(drawn)
    corrected = benjamini_hochberg(raw)
    assert (corrected >= raw - 1e-12).all()
    assert (corrected <= holm(raw) + 1e-12).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0.001, 0.5))
def test_holm_rejects_what_the_step_down_procedure_rejects(drawn, alpha):
    raw = np.array(drawn)
    rejected = np.zeros(len(raw), dtype=bool)
    for step, place in enumerate(np.argsort(raw, kind="stable")):
        if raw[place] * (len(raw) - step) > alpha:
            break
        rejected[place] = True
    np.testing.assert_array_equal(holm(raw) <= alpha, rejected)


@pytest.mark.parametrize("correct", CORRECTIONS.values(), ids=CORRECTIONS)
def test_one_p_value_stays_as_it_is_and_none_is_none(correct):
    assert correct(np.array([0.03])) == pytest.approx([0.03])
    assert len(correct(np.array([]))) == 0


@pytest.mark.parametrize("correct", CORRECTIONS.values(), ids=CORRECTIONS)
@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan")])
def test_what_is_no_p_value_is_refused(correct, value):
    with pytest.raises(EvaluationError, match="p-values must be between 0 and 1"):
        correct(np.array([0.5, value]))


def test_holm_keeps_the_chance_of_any_false_alarm_below_the_level():
    # 500 families of 10 true hypotheses: at most 5 % of the families, 25, should have a rejection; 45 is four
    # deviations of 4.9 above. Without correction 40 % of them have one.
    families = np.random.default_rng(0).random((500, 10))
    assert sum(holm(family).min() < 0.05 for family in families) <= 45
    assert sum(family.min() < 0.05 for family in families) > 150
