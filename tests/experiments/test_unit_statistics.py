import numpy as np
import pytest

from recsys.errors import ExperimentError
from recsys.experiments.unit_statistics import MeanStatistics, RatioStatistics, UnitEstimate, difference


def test_moments_of_a_mean_by_hand():
    # 1, 2, 6: mean 3, variance (4 + 1 + 9) / 2 = 7, standard error sqrt(7 / 3).
    estimate = MeanStatistics.from_values([1, 2, 6]).estimate()
    assert (estimate.value, estimate.information) == (3, 3)
    assert estimate.standard_error == pytest.approx((7 / 3) ** 0.5)


def test_moments_of_successes_are_those_of_zeros_and_ones():
    values = [1] * 3 + [0] * 7
    counted, listed = MeanStatistics.from_successes(3, 10), MeanStatistics.from_values(values)
    assert (counted.mean, counted.variance) == (pytest.approx(listed.mean), pytest.approx(listed.variance))


def test_moments_may_be_arrays():
    estimate = MeanStatistics.from_successes(np.array([1, 50]), np.array([10, 100])).estimate()
    assert estimate.value.tolist() == [0.1, 0.5]
    assert estimate.standard_error == pytest.approx([(0.1 * 0.9 / 9) ** 0.5, (0.25 / 99) ** 0.5])


@pytest.mark.parametrize("values", [[], [3.0]], ids=["none", "one"])
def test_too_few_units_have_no_standard_error(values):
    assert np.isnan(MeanStatistics.from_values(values).estimate().standard_error)
    assert np.isnan(RatioStatistics.from_values(values, values).estimate().standard_error)


def test_the_error_of_a_ratio_agrees_with_its_spread_over_samples():
    generator = np.random.default_rng(0)
    shown = 1 + generator.poisson(3, (4000, 300))
    clicks = generator.binomial(shown, generator.beta(2, 8, shown.shape))
    ratios = clicks.sum(axis=1) / shown.sum(axis=1)
    errors = [RatioStatistics.from_values(c, s).estimate().standard_error for c, s in zip(clicks, shown, strict=True)]
    assert np.mean(errors[:500]) == pytest.approx(ratios.std(), rel=0.03)


def test_the_ratio_is_that_of_the_sums():
    estimate = RatioStatistics.from_values([1, 0, 2], [2, 4, 4]).estimate()
    assert estimate.value == pytest.approx(3 / 10)
    # Residuals a - r b: .4, -1.2, .8 with sum 0; variance 2.24 / 2; divided by 3 * (10 / 3)**2.
    assert estimate.standard_error == pytest.approx((1.12 / (3 * (10 / 3) ** 2)) ** 0.5)


def test_a_difference_adds_the_variances():
    found = difference(UnitEstimate(5.0, 3.0, 100), UnitEstimate(2.0, 4.0, 300), weight=2.0)
    assert found.value == 1.0
    assert found.standard_error == pytest.approx((9 + 64) ** 0.5)
    assert found.information == pytest.approx(75)


def test_a_difference_without_units_has_no_information():
    nobody = MeanStatistics.from_values([]).estimate()
    assert difference(nobody, nobody).information == 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[1.0, 2.0]], "an array of one dimension; it has 2"),
        ([1.0, np.nan, np.inf], "must be finite numbers; 2 are not"),
        (["a"], "must be numbers"),
    ],
    ids=["shape", "nan", "text"],
)
def test_what_is_no_number_of_each_unit_is_refused(values, message):
    with pytest.raises(ExperimentError, match=message):
        MeanStatistics.from_values(values)


def test_a_ratio_needs_both_numbers():
    with pytest.raises(ExperimentError, match="there are 2 numerators and 1 denominators"):
        RatioStatistics.from_values([1, 2], [1])
