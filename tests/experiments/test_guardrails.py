import math

import numpy as np
import pytest

from recsys.errors import ExperimentError
from recsys.experiments.confidence_sequences import upper_bound
from recsys.experiments.guardrails import check_guardrail, check_guardrails
from recsys.experiments.metric import Guardrail, Metric
from recsys.experiments.sequential_analysis import SequentialSettings
from recsys.experiments.unit_statistics import MeanStatistics, UnitEstimate

CLICKS, ERRORS = Metric("clicks", "click"), Metric("errors", "error", better="lower")
DELAY = Metric("delay", "delay", kind="mean", better="lower")
SETTINGS = SequentialSettings()


def rate(successes, count):
    return MeanStatistics.from_successes(successes, count)


def test_a_relative_guardrail_tolerates_a_share_of_control():
    guardrail = Guardrail("clicks", relative_tolerance=0.1)
    within = check_guardrail(guardrail, CLICKS, rate(3600, 20_000), rate(4000, 20_000), SETTINGS)
    beyond = check_guardrail(guardrail, CLICKS, rate(3000, 20_000), rate(4000, 20_000), SETTINGS)
    assert within.margin == pytest.approx(0) and not within.crossed
    assert beyond.margin == pytest.approx(0.15 - 0.9 * 0.2) and beyond.crossed


def test_the_bound_of_a_relative_margin_is_one_sided():
    found = check_guardrail(
        Guardrail("delay", better="lower", relative_tolerance=0.2),
        DELAY,
        MeanStatistics(1000, 12.0, 9.0),
        MeanStatistics(3000, 11.0, 16.0),
        SETTINGS,
    )
    margin = UnitEstimate(1.2 * 11 - 12, math.sqrt(9 / 1000 + 1.44 * 16 / 3000), 750)
    assert found.margin == pytest.approx(1.2)
    assert found.margin_bound == pytest.approx(float(upper_bound(margin, 0.05, 5000)))


@pytest.mark.parametrize(("delay", "crossed"), [(14.0, True), (10.0, False)])
def test_where_lower_is_better_a_guardrail_is_crossed_upwards(delay, crossed):
    guardrail = Guardrail("delay", better="lower", relative_tolerance=0.1)
    found = check_guardrail(guardrail, DELAY, MeanStatistics(2000, delay, 9), MeanStatistics(2000, 11.0, 9), SETTINGS)
    assert found.crossed is crossed


def test_a_limit_needs_no_control():
    guardrail = Guardrail("delay", better="lower", limit=12.0)
    assert check_guardrail(guardrail, DELAY, MeanStatistics(2000, 13.0, 9), None, SETTINGS).crossed
    assert not check_guardrail(guardrail, DELAY, MeanStatistics(2000, 11.9, 9), None, SETTINGS).crossed
    with pytest.raises(ExperimentError, match="is relative to control, of which nothing came"):
        relative = Guardrail("delay", better="lower", relative_tolerance=0.1)
        check_guardrail(relative, DELAY, MeanStatistics(2000, 13.0, 9), None, SETTINGS)


def test_a_rate_against_a_limit_is_judged_from_the_first_units_on():
    guardrail = Guardrail("errors", better="lower", limit=0.01)
    assert check_guardrail(guardrail, ERRORS, rate(5, 10), None, SETTINGS).crossed
    assert not check_guardrail(guardrail, ERRORS, rate(1, 10), None, SETTINGS).crossed
    high = Guardrail("clicks", limit=0.5)
    assert check_guardrail(high, CLICKS, rate(2, 40), None, SETTINGS).crossed
    assert not check_guardrail(high, CLICKS, rate(24, 40), None, SETTINGS).crossed


def test_too_few_units_are_not_measured():
    guardrail = Guardrail("clicks", relative_tolerance=0.0)
    found = check_guardrail(guardrail, CLICKS, rate(0, 50), rate(50, 50), SETTINGS)
    assert (found.crossed, found.measured) == (False, False)
    assert found.sentence.endswith("too few units to say.")
    nobody = check_guardrail(Guardrail("errors", better="lower", limit=0.1), ERRORS, rate(0, 0), None, SETTINGS)
    assert not nobody.measured


@pytest.mark.parametrize(
    ("treatment", "text"),
    [
        (3000, "Guardrail: clicks must be at most 10 % below control: crossed, beyond it by 0.03"),
        (3590, "not crossed, beyond it, not certainly, by 0.0005."),
        (4000, "not crossed, inside it by 0.02."),
    ],
)
def test_the_sentence_says_how_far(treatment, text):
    guardrail = Guardrail("clicks", relative_tolerance=0.1)
    found = check_guardrail(guardrail, CLICKS, rate(treatment, 20_000), rate(4000, 20_000), SETTINGS)
    assert text in found.sentence


def test_the_level_is_divided_among_the_guardrails():
    guardrails = [Guardrail("clicks", relative_tolerance=0.1), Guardrail("errors", better="lower", limit=0.01)]
    units = {"clicks": rate(3600, 20_000), "errors": rate(100, 20_000)}
    control = {"clicks": rate(4000, 20_000)}
    found = check_guardrails(guardrails, [CLICKS, ERRORS], units, control)
    alone = check_guardrail(guardrails[0], CLICKS, units["clicks"], control["clicks"], SequentialSettings(alpha=0.025))
    assert found[0] == alone
    assert [result.guardrail for result in found] == guardrails


def test_a_guardrail_without_moments_is_refused():
    with pytest.raises(
        ExperimentError, match="'errors' needs its metric and the moments of treatment; there are .*clicks"
    ):
        check_guardrails([Guardrail("errors", better="lower", limit=0.1)], [CLICKS, ERRORS], {"clicks": rate(1, 2)}, {})


def test_a_harmless_variant_is_seldom_accused_however_often_one_looks():
    generator = np.random.default_rng(1)
    counts = np.arange(200, 4001, 200)
    guardrail, accused = Guardrail("clicks", relative_tolerance=0.05), 0
    for _ in range(150):  # treatment is worse by just what is tolerated
        wins = generator.binomial(200, [[0.19], [0.2]], (2, len(counts))).cumsum(axis=1)
        looks = zip(wins[0], wins[1], counts, strict=True)
        accused += any(
            check_guardrail(guardrail, CLICKS, rate(t, n), rate(c, n), SETTINGS).crossed for t, c, n in looks
        )
    assert accused / 150 <= 0.05
