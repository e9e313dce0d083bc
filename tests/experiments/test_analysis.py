import numpy as np
import pandas as pd
import pytest
import scipy.stats

from recsys.errors import ExperimentError
from recsys.evaluation.statistics.multiple_comparisons import benjamini_hochberg, holm
from recsys.experiments.analysis import FixedHorizonSettings, analyse
from recsys.experiments.metric import Metric
from recsys.experiments.unit_statistics import RatioStatistics, difference

CLICKERS = Metric("clickers", "click")
REVENUE = Metric("revenue", "buy", kind="mean", sum_values=True)
CTR = Metric("ctr", "click", kind="ratio", denominator="exposures")
RETURNS = Metric("returns", "return", kind="mean", better="lower")
NONE = FixedHorizonSettings(correction="none")


@pytest.fixture(scope="module")
def units():
    """Units of which b clicks more, and returns more, and buys as much."""
    generator, size = np.random.default_rng(2), 3000
    variant = np.where(generator.random(size) < 0.5, "control", "b")
    is_b = variant == "b"
    before = generator.gamma(2, 5, size)
    shown = 1 + generator.poisson(3, size)
    clicks = generator.binomial(shown, np.where(is_b, 0.15, 0.1))
    return pd.DataFrame(
        {
            "variant": variant,
            "exposures": shown,
            "before": before,
            "count:click": clicks,
            "value:buy": before + generator.normal(0, 1, size),
            "count:return": generator.poisson(np.where(is_b, 0.4, 0.2)),
        }
    )


def of(units, variant, column):
    return units.loc[units["variant"] == variant, column].to_numpy(dtype=float)


def test_a_mean_is_compared_by_welch(units):
    (found,) = analyse(units, [REVENUE], "control", NONE)
    b, control = of(units, "b", "value:buy"), of(units, "control", "value:buy")
    test = scipy.stats.ttest_ind(b, control, equal_var=False)
    assert found.p_value == pytest.approx(test.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(test.confidence_interval()))
    assert found.difference == pytest.approx(b.mean() - control.mean())
    assert found.verdict == "no difference shown"


def test_a_rate_is_compared_by_the_test_of_two_proportions(units):
    (found,) = analyse(units, [CLICKERS], "control", NONE)
    b, control = of(units, "b", "count:click") > 0, of(units, "control", "count:click") > 0
    error = np.sqrt(b.var() / len(b) + control.var() / len(control))
    z = (b.mean() - control.mean()) / error
    assert found.p_value == pytest.approx(2 * scipy.stats.norm.sf(abs(z)), rel=1e-6)
    assert (found.treatment, found.control) == pytest.approx((b.mean(), control.mean()))
    assert found.verdict == "better"


def test_a_ratio_is_compared_by_the_delta_method(units):
    (found,) = analyse(units, [CTR], "control", NONE)
    ratios = [
        RatioStatistics.from_values(of(units, name, "count:click"), of(units, name, "exposures")).estimate()
        for name in ("b", "control")
    ]
    change = difference(*ratios)
    assert found.difference == pytest.approx(float(change.value))
    assert found.high - found.low == pytest.approx(2 * 1.96 * float(change.standard_error), rel=1e-2)


def test_a_covariate_takes_away_the_variance_that_it_explains(units):
    (plain,) = analyse(units, [REVENUE], "control", NONE)
    settings = FixedHorizonSettings(correction="none", covariates={"revenue": "before"})
    (adjusted,) = analyse(units, [REVENUE], "control", settings)
    assert (adjusted.high - adjusted.low) < 0.2 * (plain.high - plain.low)
    assert adjusted.low < 0 < adjusted.high


def test_where_lower_is_better_more_is_worse(units):
    (found,) = analyse(units, [RETURNS], "control", NONE)
    assert found.difference > 0 and found.verdict == "worse"


@pytest.mark.parametrize(
    ("name", "correction"),
    [("holm", holm), ("benjamini_hochberg", benjamini_hochberg), ("none", lambda values: values)],
)
def test_p_values_are_corrected_together(units, name, correction):
    generator = np.random.default_rng(1)
    three = units.assign(variant=generator.choice(["control", "b", "c"], len(units), p=[0.4, 0.3, 0.3]))
    found = analyse(three, [CLICKERS, REVENUE, CTR], "control", FixedHorizonSettings(correction=name))
    assert [(one.variant, one.metric) for one in found] == [
        (variant, metric) for variant in ("b", "c") for metric in ("clickers", "revenue", "ctr")
    ]
    expected = correction(np.array([one.p_value for one in found]))
    assert [one.corrected_p_value for one in found] == pytest.approx(list(expected))


def test_before_the_planned_units_it_is_too_early(units):
    (found,) = analyse(units, [CLICKERS], "control", FixedHorizonSettings(planned_units=2000))
    assert found.verdict == "too early"
    assert found.sentence == "clickers: too early to say of b; each variant needs 2000 units."


def test_the_sentence_has_the_relative_difference(units):
    (found,) = analyse(units, [CLICKERS], "control")
    assert found.sentence.startswith(f"clickers: b {found.treatment:.4g}, control {found.control:.4g}, difference +")
    assert found.sentence.endswith("of all comparisons together; better.")


def test_what_nobody_does_shows_no_difference(units):
    nobody = units.assign(**{"count:click": 0})
    silent, returned = analyse(nobody, [CLICKERS, RETURNS], "control")
    assert (silent.verdict, silent.p_value, silent.corrected_p_value) == ("no difference shown", 1.0, 1.0)
    assert silent.sentence == "clickers: b 0, control 0; no difference shown, since nothing varies."
    assert returned == analyse(nobody, [RETURNS], "control")[0]


@pytest.mark.parametrize("metric", [CLICKERS, CTR], ids=lambda metric: metric.name)
def test_a_difference_from_nothing_has_no_relative_size(units, metric):
    clicks = units["count:click"].where(units["variant"] == "b", 0)
    (found,) = analyse(units.assign(**{"count:click": clicks}), [metric], "control")
    assert (found.control, found.verdict) == (0, "better")
    assert 0 < found.low < found.difference < found.high
    assert "difference +0." in found.sentence


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        ({"variant": "b"}, NONE, r"needs units of control \('control'\) and of another variant; there are those of b"),
        ({}, FixedHorizonSettings(covariates={"clickers": "age"}), "the covariate 'age' of 'clickers' needs a metric"),
        ({}, FixedHorizonSettings(covariates={"sales": "before"}), "the covariate 'before' of 'sales' needs a metric"),
        (
            {"before": np.nan},
            FixedHorizonSettings(covariates={"clickers": "before"}),
            "must be known of all units",
        ),
    ],
    ids=["control", "column", "metric", "nan"],
)
def test_what_cannot_be_analysed_is_refused(units, change, settings, message):
    with pytest.raises(ExperimentError, match=message):
        analyse(units.assign(**change), [CLICKERS], "control", settings)


def test_an_analysis_needs_a_metric(units):
    with pytest.raises(ExperimentError, match="at least one metric"):
        analyse(units, [], "control")


@pytest.mark.parametrize(
    "values", [{"alpha": 0.7}, {"min_units": 1}, {"correction": "bonferroni"}, {"planned_units": 0}], ids=str
)
def test_a_setting_out_of_range_is_refused(values):
    with pytest.raises(ExperimentError, match="must be"):
        FixedHorizonSettings(**values)
