"""One experiment from the first hash to the verdict, as a service runs it."""

import numpy as np
import pandas as pd
import pytest

from recsys.experiments.analysis import analyse
from recsys.experiments.assignment import Assigner
from recsys.experiments.experiment import Experiment, Variant
from recsys.experiments.guardrails import check_guardrails
from recsys.experiments.layers import with_traffic
from recsys.experiments.metric import Guardrail, Metric
from recsys.experiments.outcomes import join_outcomes
from recsys.experiments.rollout import RolloutPlan, RolloutState, next_step
from recsys.experiments.sample_ratio import check_sample_ratio
from recsys.experiments.sequential_analysis import compare_sequentially
from recsys.experiments.unit_metrics import variant_statistics

HOUR = 3600.0
EXPERIMENT = with_traffic(
    Experiment(
        "home",
        "salt",
        [Variant("control", 0.5), Variant("b", 0.5)],
        buckets=[],
        status="running",
        metrics=[Metric("clickers", "click"), Metric("ctr", "click", kind="ratio", denominator="exposures")],
        guardrails=[Guardrail("ctr", relative_tolerance=0.02)],
        exposure_window_hours=24,
        attribution_window_hours=2,
    ),
    0.8,
    [],
)


@pytest.fixture(scope="module", params=[("better", 0.16), ("worse", 0.06)], ids=["better", "worse"])
def outcomes(request):
    """Outcomes of 4,000 users, of whom those of control click on a list with chance .1 and those of b with another."""
    expected, rate = request.param
    generator, assigner = np.random.default_rng(0), Assigner([EXPERIMENT])
    shown = []
    for user in range(4000):
        for assignment in assigner.assign(str(user)):
            times = generator.uniform(0, 240, 1 + generator.poisson(2)) * HOUR
            shown += [(f"{user}-{place}", str(user), assignment.variant.name, at) for place, at in enumerate(times)]
    exposures = pd.DataFrame(shown, columns=["recommendation_id", "unit_id", "variant", "shown_at"])
    chance = np.where(exposures["variant"] == "b", rate, 0.1)
    clicked = exposures[generator.random(len(exposures)) < chance]
    events = pd.DataFrame(
        {"recommendation_id": clicked["recommendation_id"], "event": "click", "occurred_at": clicked["shown_at"] + 60}
    )
    repeated = pd.concat([events, events.sample(frac=0.3, random_state=0)])
    return expected, join_outcomes(exposures, repeated, EXPERIMENT, as_of=1000 * HOUR)


def test_the_traffic_takes_part_and_the_shares_are_right(outcomes):
    _, joined = outcomes
    counts = joined.units["variant"].value_counts().to_dict()
    assert sum(counts.values()) / 4000 == pytest.approx(0.8, abs=0.02)
    assert not check_sample_ratio(counts, EXPERIMENT.shares).mismatch
    assert joined.counts.crossed_units == 0 and joined.counts.repeated_events > 0


def test_both_analyses_come_to_the_same_verdict(outcomes):
    expected, joined = outcomes
    moments = variant_statistics(joined.units, EXPERIMENT.metrics)
    fixed = analyse(joined.units, EXPERIMENT.metrics, "control")
    for metric, once in zip(EXPERIMENT.metrics, fixed, strict=True):
        always = compare_sequentially(metric, moments["b"][metric.name], moments["control"][metric.name])
        assert always.verdict == once.verdict == expected
        assert always.difference == pytest.approx(once.difference)
        assert always.low < once.low < once.high < always.high


def test_the_rollout_goes_on_or_back(outcomes):
    expected, joined = outcomes
    moments = variant_statistics(joined.units, EXPERIMENT.metrics)
    found = check_guardrails(EXPERIMENT.guardrails, EXPERIMENT.metrics, moments["b"], moments["control"])
    state = next_step(RolloutState(RolloutPlan(min_units=100)), found, int(moments["b"]["ctr"].count), 48 * HOUR)
    assert (state.status, state.step) == (("running", 1) if expected == "better" else ("rolled back", 0))
