"""Measures how often the statistics of experiments are right, over simulated experiments whose truth is known.

::

    python benchmarks/experiment_statistics.py --output benchmarks/results/experiment_statistics.md

Everything is drawn from one seed, so that the numbers are the same on every machine.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from experiment_worlds import POSITIONS, logged, ranker_outcomes
from results_file import write_results

from recsys.experiments.confidence_sequences import confidence_bounds, lower_bound
from recsys.experiments.guardrails import check_guardrails
from recsys.experiments.interleaving_analysis import mixture_prior
from recsys.experiments.metric import Guardrail, Metric
from recsys.experiments.off_policy.estimates import estimate_policy
from recsys.experiments.off_policy.overlap import OverlapLimits
from recsys.experiments.power import PowerSettings, plan_units
from recsys.experiments.rate_sequences import rate_bounds, rate_difference_bounds
from recsys.experiments.rollout import RolloutPlan, RolloutState, next_step
from recsys.experiments.sample_ratio import log_multinomial_evidence
from recsys.experiments.unit_statistics import MeanStatistics, RatioStatistics, UnitEstimate, difference

LOOKS, UNITS, ALPHA = 50, 5000, 0.05
#: Units of a variant at each look.
AT_LOOK = np.arange(1, LOOKS + 1) * (UNITS // LOOKS)


class Row(NamedTuple):
    """A line of the table: what is measured, what it should be, and what was seen."""

    what: str
    should_be: str
    seen: str


def share(hits: np.ndarray) -> str:
    """A share of experiments with its standard error."""
    rate = float(np.mean(hits))
    return f"{rate:.3f} ± {math.sqrt(max(rate * (1 - rate), 1e-12) / np.size(hits)):.3f}"


def moments(values: np.ndarray) -> np.ndarray:
    """Sums of units up to each look, from the units of shape [experiments, units]."""
    return values.reshape(len(values), LOOKS, -1).sum(axis=-1).cumsum(axis=-1)


def mean_statistics(values: np.ndarray) -> MeanStatistics:
    """Moments of a mean at each look."""
    mean = moments(values) / AT_LOOK
    return MeanStatistics(AT_LOOK, mean, (moments(values**2) / AT_LOOK - mean**2) * AT_LOOK / (AT_LOOK - 1))


def ratio_statistics(above: np.ndarray, below: np.ndarray) -> RatioStatistics:
    """Moments of a ratio at each look."""
    top, bottom = mean_statistics(above), mean_statistics(below)
    covariance = (moments(above * below) / AT_LOOK - top.mean * bottom.mean) * AT_LOOK / (AT_LOOK - 1)
    return RatioStatistics(AT_LOOK, top.mean, bottom.mean, top.variance, bottom.variance, covariance)


def rates(generator: np.random.Generator, experiments: int, rate: float) -> np.ndarray:
    """Successes of a variant at each look."""
    return generator.binomial(UNITS // LOOKS, rate, (experiments, LOOKS)).cumsum(axis=1)


def equal_variants(generator: np.random.Generator, experiments: int) -> Iterator[tuple[str, UnitEstimate]]:
    """Differences between two variants that are the same, by kind of metric."""
    for rate in (0.1, 0.02):
        arms = [MeanStatistics.from_successes(rates(generator, experiments, rate), AT_LOOK) for _ in range(2)]
        yield f"rate of {rate:g}", difference(arms[0].estimate(), arms[1].estimate())
    size = (2, experiments, UNITS)
    revenue = (generator.random(size, np.float32) < 0.1) * generator.lognormal(3, 1, size).astype(np.float32)
    arms = [mean_statistics(arm.astype(np.float64)) for arm in revenue]
    yield "mean with a heavy tail (revenue)", difference(arms[0].estimate(), arms[1].estimate())
    shown = 1 + generator.poisson(3, size).astype(np.int32)
    clicks = generator.binomial(shown, generator.beta(1, 9, size))
    ratios = [ratio_statistics(c.astype(float), s.astype(float)).estimate() for c, s in zip(clicks, shown, strict=True)]
    yield "ratio (clicks by recommendations)", difference(*ratios)


def false_positives(generator: np.random.Generator, experiments: int) -> Iterator[Row]:
    """A/A experiments that are looked at 50 times."""
    for name, change in equal_variants(generator, experiments):
        with np.errstate(invalid="ignore"):
            z = np.abs(np.nan_to_num(np.asarray(change.value) / np.asarray(change.standard_error)))
        low, high = confidence_bounds(change, ALPHA, UNITS / 2)
        one_sided = lower_bound(change, ALPHA, UNITS / 2) > 0
        yield Row(f"A/A, {name}: plain z at 50 looks", "far above .05", share((z > 1.96).any(axis=1)))
        yield Row(f"A/A, {name}: confidence sequence", "at most .05", share(((low > 0) | (high < 0)).any(axis=1)))
        yield Row(f"A/A, {name}: one-sided", "at most .05", share(one_sided.any(axis=1)))
    first, second = (rates(generator, experiments, 0.005) for _ in range(2))
    low, high = rate_difference_bounds((first, AT_LOOK), (second, AT_LOOK), ALPHA)
    yield Row("A/A, rate of 0.005: exact bounds", "at most .05", share(((low > 0) | (high < 0)).any(axis=1)))
    low, high = rate_bounds(first, AT_LOOK, ALPHA)
    yield Row("exact bounds of one rate miss it", "at most .05", share(((low > 0.005) | (high < 0.005)).any(axis=1)))


def sample_ratios(generator: np.random.Generator, experiments: int) -> Iterator[Row]:
    """Counts of units with right shares, and where units of one variant are lost."""
    for lost, should in ((0.0, "at most .01"), (0.05, "near 1"), (0.1, "near 1")):
        first = generator.binomial(1000, 0.5, (experiments, LOOKS))
        units = [first.cumsum(axis=1), generator.binomial(1000 - first, 1.0 - lost).cumsum(axis=1)]
        found = log_multinomial_evidence(np.stack(units, axis=-1), [0.5, 0.5]) >= math.log(100)
        yield Row(f"sample-ratio check at .01, {lost:.0%} of one variant lost", should, share(found.any(axis=1)))


def power(generator: np.random.Generator, experiments: int) -> Iterator[Row]:
    """Experiments with as many units as were planned for a change of 10 %; ten times as many, since they are cheap.

    The plan takes control's variance for both variants; that of a rate of .11 is larger, which leaves .783 of .8.
    """
    experiments *= 10
    control = MeanStatistics.from_successes(1000, 10_000)
    planned = plan_units(control, PowerSettings(0.1))
    for name, units in (("once", planned.fixed_horizon), ("50 times", planned.always_valid)):
        each = np.arange(1, LOOKS + 1) * (units // 2) // LOOKS
        steps = np.diff(each, prepend=0)
        arms = [generator.binomial(steps, rate, (experiments, LOOKS)).cumsum(axis=1) for rate in (0.11, 0.10)]
        change = difference(*(MeanStatistics.from_successes(arm, each).estimate() for arm in arms))
        if name == "once":
            found = np.asarray(change.value)[:, -1] > 1.96 * np.asarray(change.standard_error)[:, -1]
            yield Row(f"power, {units} units, looked at once", ".783", share(found))
            continue
        low, high = confidence_bounds(change, ALPHA, units / 4)
        better, worse = (low > 0).any(axis=1), (high < 0).any(axis=1)
        first = np.where(better, (low > 0).argmax(axis=1), LOOKS - 1)
        yield Row(f"power, {units} units, looked at {name}", "at least .8", share(better))
        yield Row("the same: the worse variant is declared better", "at most .025", share(worse))
        yield Row("the same: mean units when it ends", f"less than {units}", f"{2 * each[first].mean():.0f}")


METRICS = (Metric("clickers", "click"), Metric("errors", "error", better="lower"))
GUARDRAILS = (Guardrail("clickers", relative_tolerance=0.02), Guardrail("errors", better="lower", limit=0.02))


def rollout(generator: np.random.Generator, clicks: float, errors: float) -> RolloutState:
    """A rollout with 100,000 units a day, which is looked at three times a day; control clicks with .2."""
    plan = RolloutPlan(min_hours=24, min_units=500)
    state, now = RolloutState(plan), 0.0
    totals = np.zeros(5)  # treatment: units, clicks, errors; control: units, clicks
    while state.status == "running" and state.treatment_share < 1:
        now += 8 * 3600
        units = round(100_000 / 3 * state.treatment_share)
        drawn = generator.binomial(units, [1.0, clicks, errors, 1.0, 0.2])
        totals += drawn
        treatment = {
            "clickers": MeanStatistics.from_successes(totals[1], totals[0]),
            "errors": MeanStatistics.from_successes(totals[2], totals[0]),
        }
        control = {"clickers": MeanStatistics.from_successes(totals[4], totals[3])}
        state = next_step(state, check_guardrails(GUARDRAILS, METRICS, treatment, control), int(totals[0]), now)
    return state


def rollouts(generator: np.random.Generator, experiments: int) -> Iterator[Row]:
    """Rollouts of variants that are harmless, better and harmful."""
    cases = (
        ("clicks as control", 0.2, 0.01, "at most .05"),
        ("clicks less by just the tolerated 2 %", 0.196, 0.01, "at most .05"),
        ("clicks 10 % more", 0.22, 0.01, "near 0"),
        ("clicks 10 % less", 0.18, 0.01, "near 1"),
        ("three errors in a hundred, two allowed", 0.2, 0.03, "near 1"),
    )
    for name, clicks, errors, should in cases:
        ended = [rollout(generator, clicks, errors) for _ in range(experiments)]
        back = np.array([state.status == "rolled back" for state in ended])
        shares = [float(state.plan.steps[state.step]) for state in ended if state.status == "rolled back"]
        where = f"; half of them at {np.median(shares):.0%} or before" if len(shares) > experiments / 2 else ""
        yield Row(f"rollout, {name}: rolled back", should, share(back) + where)


def off_policy(generator: np.random.Generator, experiments: int) -> Iterator[Row]:
    """Coverage of 95 % intervals of what another policy would get, of actions and of slates."""
    for slate, name in ((False, "actions"), (True, f"slates of {POSITIONS}")):
        logs = [logged(generator, 1000, (0.5, 1.5), slate) for _ in range(experiments)]
        for estimator in ("ips", "snips", "doubly_robust"):
            found = [(estimate_policy(log, estimator), truth) for log, truth in logs]
            kept = [(one, truth) for one, truth in found if one.value is not None]
            held = np.array([one.low <= truth <= one.high for one, truth in kept])
            width = np.mean([one.high - one.low for one, _ in kept])
            seen = f"{share(held)}; mean width {width:.4f}; {len(found) - len(kept)} refused"
            yield Row(f"off-policy, {name}, {estimator}: the interval holds the truth", ".95", seen)
    logs = [logged(generator, 300, (1.5, -1.0), False) for _ in range(experiments)]
    refused = np.array([estimate_policy(log, "ips").verdict == "refused" for log, _ in logs])
    loose = OverlapLimits(1, 1, 1e9, 0)
    careless = [(estimate_policy(log, "ips", limits=loose), truth) for log, truth in logs]
    held = np.array([one.low <= truth <= one.high for one, truth in careless])
    yield Row("off-policy, poor overlap: refused", "near 1", share(refused))
    yield Row("the same, had it not been refused: the interval holds the truth", "below .95", share(held))


def interleaving(generator: np.random.Generator, experiments: int) -> Iterator[Row]:
    """Users until the better ranker is known, by interleaving and by an A/B test of clicks, looked at all the time."""
    worse, better, preference = ranker_outcomes(0.12)
    lift = (better @ np.arange(11)) / (worse @ np.arange(11)) - 1
    step, looks = 20, 300
    drawn = generator.multinomial(step, preference, (experiments, looks)).cumsum(axis=1)
    low, high = rate_bounds(drawn[..., 2], drawn[..., 0] + drawn[..., 2], ALPHA, mixture_prior(500))
    yield from stopping(f"interleaving, {lift:.0%} more clicks", low > 0.5, high < 0.5, np.arange(1, looks + 1) * step)
    step, looks = 200, 400
    at_look, values = np.arange(1, looks + 1) * step // 2, np.arange(11)
    arms = []
    for outcomes in (better, worse):
        counts = generator.multinomial(step // 2, outcomes / outcomes.sum(), (experiments, looks)).cumsum(axis=1)
        mean = counts @ values / at_look
        arms.append(MeanStatistics(at_look, mean, (counts @ values**2 / at_look - mean**2) * at_look / (at_look - 1)))
    low, high = confidence_bounds(difference(arms[0].estimate(), arms[1].estimate()), ALPHA, 5000)
    yield from stopping(f"A/B of the same rankers, {lift:.0%} more clicks", low > 0, high < 0, 2 * at_look)
    same = generator.multinomial(20, [0.3, 0.4, 0.3], (experiments, 300)).cumsum(axis=1)
    low, high = rate_bounds(same[..., 2], same[..., 0] + same[..., 2], ALPHA, mixture_prior(500))
    wrong = ((low > 0.5) | (high < 0.5)).any(axis=1)
    yield Row("interleaving of equal rankers, 300 looks: one is declared better", "at most .05", share(wrong))


def stopping(name: str, right: np.ndarray, wrong: np.ndarray, users: np.ndarray) -> Iterator[Row]:
    """How often and when the better ranker is found."""
    found = right.any(axis=1)
    needed = users[right.argmax(axis=1)][found]
    yield Row(f"{name}: the better ranker is found", "near 1", share(found))
    yield Row(f"{name}: users needed, median", "", f"{np.median(needed):.0f}")
    yield Row(f"{name}: the worse one is declared better", "at most .025", share(wrong.any(axis=1)))


PARTS = (false_positives, sample_ratios, power, rollouts, off_policy, interleaving)


def main() -> None:
    """Simulate and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=2000, help="simulated experiments of each line")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, help="a Markdown file")
    arguments = parser.parse_args()
    lines = [
        "# Statistics of experiments",
        "",
        f"{arguments.experiments} simulated experiments a line (of power ten times as many), seed {arguments.seed}; "
        "shares of experiments ± their standard error. A rate of .11 varies more than that of .10 which the plan "
        "knows: of "
        "the planned power of .8 that leaves .783. Interleaving and the A/B test have their default settings. What "
        "each number means: [experiments](../../docs/experiments.md).",
        "",
        f"`python benchmarks/experiment_statistics.py --experiments {arguments.experiments} --seed {arguments.seed}`",
        "",
        "| what | should be | seen |",
        "|---|---|---|",
    ]
    for place, part in enumerate(PARTS):
        before = time.process_time()
        for row in part(np.random.default_rng([arguments.seed, place]), arguments.experiments):
            lines.append(f"| {' | '.join(row)} |")
            print(lines[-1], flush=True)
        print(f"{part.__name__}: {time.process_time() - before:.1f} seconds")
    write_results("\n".join(lines) + "\n", arguments.output)


if __name__ == "__main__":
    main()
