import math

import numpy as np
import pytest

from recsys.errors import ExperimentError
from recsys.experiments.metric import Metric
from recsys.experiments.sequential_analysis import SequentialSettings, compare_sequentially
from recsys.experiments.unit_statistics import MeanStatistics, RatioStatistics

RATE, DELAY = Metric("buyers", "purchase"), Metric("delay", "delay", kind="mean", better="lower")
CTR = Metric("ctr", "click", kind="ratio", denominator="exposures")


def rate(successes, count):
    return MeanStatistics.from_successes(successes, count)


@pytest.mark.parametrize(
    ("metric", "treatment", "control", "verdict"),
    [
        (RATE, rate(600, 5000), rate(450, 5000), "better"),
        (RATE, rate(450, 5000), rate(600, 5000), "worse"),
        (RATE, rate(500, 5000), rate(505, 5000), "no difference shown"),
        (RATE, rate(60, 99), rate(20, 5000), "too early"),
        (RATE, rate(0, 5000), rate(29, 5000), "too early"),
        (RATE, rate(4990, 5000), rate(4985, 5000), "too early"),
        (RATE, rate(0, 5000), rate(40, 5000), "worse"),
        (DELAY, MeanStatistics(5000, 10.0, 4.0), MeanStatistics(5000, 11.0, 4.0), "better"),
        (DELAY, MeanStatistics(5000, 11.0, 4.0), MeanStatistics(5000, 10.0, 4.0), "worse"),
    ],
    ids=["up", "down", "same", "few-units", "few", "few-failures", "none", "faster", "slower"],
)
def test_the_verdict_is_on_treatment(metric, treatment, control, verdict):
    assert compare_sequentially(metric, treatment, control).verdict == verdict


def test_the_numbers_and_the_sentence_agree():
    found = compare_sequentially(RATE, rate(600, 5000), rate(450, 5000))
    assert (found.treatment, found.control, found.difference) == pytest.approx((0.12, 0.09, 0.03))
    assert 0 < found.low < 0.03 < found.high
    assert found.p_value < 0.05
    assert (found.treatment_units, found.control_units) == (5000, 5000)
    assert found.sentence == (
        f"buyers: treatment 0.12, control 0.09, difference +0.03 [{found.low:+.3g}, {found.high:+.3g}] at every look "
        "with 95% confidence; better."
    )


def test_too_early_says_what_is_needed_and_gives_no_numbers():
    found = compare_sequentially(RATE, rate(1, 50), rate(20, 50))
    assert (found.low, found.high, found.p_value) == (-math.inf, math.inf, 1.0)
    assert found.sentence == (
        "buyers: too early to say; each variant needs 100 units, and a rate 30 with and without success."
    )


def test_what_does_not_vary_shows_nothing():
    found = compare_sequentially(DELAY, MeanStatistics(500, 1.0, 0.0), MeanStatistics(500, 2.0, 0.0))
    assert found.verdict == "no difference shown"
    assert "nothing varies" in found.sentence


def test_a_ratio_is_compared_by_its_own_moments():
    generator = np.random.default_rng(0)
    shown = 1 + generator.poisson(4, 4000)
    better, worse = (RatioStatistics.from_values(generator.binomial(shown, p), shown) for p in (0.13, 0.10))
    assert compare_sequentially(CTR, better, worse).verdict == "better"
    with pytest.raises(ExperimentError, match="metric 'ctr' is a ratio and needs RatioStatistics"):
        compare_sequentially(CTR, rate(1, 2), rate(1, 2))
    with pytest.raises(ExperimentError, match="metric 'buyers' is a rate and needs MeanStatistics"):
        compare_sequentially(RATE, better, worse)


def test_a_smaller_level_gives_a_wider_interval():
    strict = compare_sequentially(RATE, rate(600, 5000), rate(450, 5000), SequentialSettings(alpha=0.001))
    usual = compare_sequentially(RATE, rate(600, 5000), rate(450, 5000))
    assert strict.low < usual.low < usual.high < strict.high


@pytest.mark.parametrize(
    "values", [{"alpha": 0.6}, {"optimal_units": 1}, {"min_units": 1}, {"min_successes": 0}], ids=str
)
def test_a_setting_out_of_range_is_refused(values):
    with pytest.raises(ExperimentError, match=f"{next(iter(values))} must be from"):
        SequentialSettings(**values)
