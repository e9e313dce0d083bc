import numpy as np
import pytest
import scipy.stats

from recsys.errors import ExperimentError
from recsys.experiments.confidence_sequences import confidence_bounds
from recsys.experiments.power import PowerSettings, detectable_change, plan_units
from recsys.experiments.unit_statistics import MeanStatistics, RatioStatistics, difference

CONTROL = MeanStatistics.from_successes(1000, 10_000)


@pytest.mark.parametrize(("share", "power"), [(0.5, 0.8), (0.2, 0.9)])
def test_units_for_one_look_by_the_formula(share, power):
    planned = plan_units(CONTROL, PowerSettings(0.1, power=power, treatment_share=share))
    z = scipy.stats.norm.ppf(0.975) + scipy.stats.norm.ppf(power)
    assert planned.fixed_horizon == pytest.approx(z**2 * 0.09 / 0.01**2 / (share * (1 - share)), rel=1e-3)


def test_a_fall_needs_as_many_units_as_a_rise():
    fall, rise = (plan_units(CONTROL, PowerSettings(change)).fixed_horizon for change in (-0.1, 0.1))
    assert fall == rise


def test_the_detectable_change_is_the_inverse():
    units = plan_units(CONTROL, PowerSettings(0.1)).fixed_horizon
    assert detectable_change(CONTROL, units, PowerSettings(0.5)) == pytest.approx(0.1, rel=1e-3)
    assert detectable_change(CONTROL, units, PowerSettings(-0.5)) == pytest.approx(-0.1, rel=1e-3)


def test_units_that_are_looked_at_all_the_time_find_the_change_as_surely():
    planned = plan_units(CONTROL, PowerSettings(0.1))
    generator, arm = np.random.default_rng(0), planned.always_valid // 2
    wins = [generator.binomial(arm, rate, 4000) for rate in (0.11, 0.10)]
    change = difference(*(MeanStatistics.from_successes(one, arm).estimate() for one in wins))
    low, _ = confidence_bounds(change, 0.05, arm / 2)
    assert (low > 0).mean() == pytest.approx(0.8, abs=0.03)


def test_a_ratio_is_planned_by_the_delta_method():
    generator = np.random.default_rng(0)
    shown = 1 + generator.poisson(3, 5000)
    ratio = RatioStatistics.from_values(generator.binomial(shown, 0.2), shown)
    deviation = float(ratio.estimate().standard_error) * 5000**0.5
    z = scipy.stats.norm.ppf(0.975) + scipy.stats.norm.ppf(0.8)
    expected = (z * deviation / (0.1 * float(ratio.estimate().value))) ** 2 * 4
    assert plan_units(ratio, PowerSettings(0.1)).fixed_horizon == pytest.approx(expected, rel=1e-3)


def test_the_sentence_names_both_numbers():
    planned = plan_units(CONTROL, PowerSettings(0.1))
    assert planned.sentence == (
        f"Finding a change of +10 % of 0.1 with a probability of 80% takes {planned.fixed_horizon:,} units in all "
        f"where one looks once, and {planned.always_valid:,} where one looks at any time."
    )


@pytest.mark.parametrize(
    "control", [MeanStatistics(100, 1.0, 0.0), MeanStatistics(100, 0.0, 1.0)], ids=["same", "zero"]
)
def test_what_does_not_vary_cannot_be_planned(control):
    with pytest.raises(ExperimentError, match="planning needs units that vary and a value that is not 0"):
        plan_units(control, PowerSettings(0.1))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"relative_change": 0}, "must not be 0"),
        ({"relative_change": 0.1, "power": 1.0}, "power must be from"),
        ({"relative_change": 0.1, "alpha": 0}, "alpha must be from"),
        ({"relative_change": 0.1, "treatment_share": 1}, "treatment_share must be from"),
    ],
    ids=["change", "power", "alpha", "share"],
)
def test_settings_out_of_range_are_refused(values, message):
    with pytest.raises(ExperimentError, match=message):
        PowerSettings(**values)
