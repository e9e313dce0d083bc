from datetime import UTC, datetime

import pytest
from recsys_serving.experimenting.experiment_rollout import (
    ExperimentRollout,
    as_compared,
    begin_rollout,
    compared_until,
    rollout_of,
)
from recsys_serving.store.admin.records import ExperimentRecord, ExperimentStatus

from recsys.errors import ExperimentError
from recsys.experiments.experiment import Experiment, Variant
from recsys.experiments.metric import Guardrail, Metric
from recsys.experiments.rollout import RolloutPlan, RolloutState

NOW = datetime(2024, 3, 1, tzinfo=UTC)
EXPERIMENT = Experiment(
    "one",
    "salt",
    [Variant("control", 0.0), Variant("new", 1.0)],
    metrics=[Metric("ctr", "click")],
    guardrails=[Guardrail("ctr", limit=0.1)],
)


def record(rollout):
    return ExperimentRecord("one", "One", ExperimentStatus.RUNNING, {}, 1, NOW, NOW, NOW, None, rollout)


def test_a_rollout_is_read_as_it_was_written():
    assert rollout_of(record(None)) is None
    rollout = ExperimentRollout(RolloutState(RolloutPlan((0.1, 1.0), 2, 3), 5.0, 1, 7, "running", "why"), 9.0)
    assert rollout_of(record(rollout.to_dict())) == rollout
    with pytest.raises(ExperimentError, match="cannot be read"):
        rollout_of(record({"colour": "red"}))


def test_when_everyone_got_treatment_is_remembered():
    plan = RolloutPlan((0.5, 1.0))
    first = begin_rollout(EXPERIMENT, plan, 10.0)
    assert (first.everyone_since, compared_until(first)) == (None, None)
    second = first.then(RolloutState(plan, 20.0, 1))
    assert second.everyone_since == 20.0
    assert compared_until(second) == datetime.fromtimestamp(20, UTC)
    assert second.then(RolloutState(plan, 30.0, 1, status="done")).everyone_since == 20.0
    assert begin_rollout(EXPERIMENT, RolloutPlan((1.0,)), 10.0).everyone_since == 10.0
    assert compared_until(None) is None


def test_what_is_compared_has_the_shares_of_before():
    rollout = begin_rollout(EXPERIMENT, RolloutPlan((0.5, 1.0)), 10.0)
    assert as_compared(EXPERIMENT, rollout) is EXPERIMENT
    everyone = rollout.then(RolloutState(rollout.state.plan, 20.0, 1))
    assert as_compared(EXPERIMENT, everyone).shares == {"control": 0.5, "new": 0.5}
