from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from recsys_serving.experimenting.experiment_changes import ExperimentChanges, experiment_of
from recsys_serving.experimenting.experiment_rollout import begin_rollout
from recsys_serving.experimenting.rollout_evidence import gather_evidence

from recsys.experiments.rollout import RolloutPlan, RolloutState
from tests.serving.experimenting.shown_lists import CLICKERS, show_lists

START = datetime(2024, 3, 1, tzinfo=UTC)
GUARDRAILS = [*CLICKERS["guardrails"], {"metric": "clickers", "limit": 0.2}]
DEFINITION = {**CLICKERS, "guardrails": GUARDRAILS, "salt": "evidence"}
USERS = [f"user-{number}" for number in range(800)]


@pytest.fixture
def experiment(store):
    changes = ExperimentChanges(store)
    changes.create("one", "One", DEFINITION, "key")
    return experiment_of(changes.start("one", "key"))


def test_before_anybody_came_nothing_is_measured(store, experiment):
    rollout = begin_rollout(experiment, RolloutPlan(), START.timestamp())
    evidence = gather_evidence(store.outcomes, experiment, rollout, START)
    assert (evidence.units, evidence.sample_ratio) == (0, None)
    assert [one.measured for one in evidence.guardrails] == [False, False]


def test_all_units_count_while_there_is_a_control(store, experiment):
    counts = show_lists(store, "one", USERS, START, lambda variant, number: number % 2 == 0)
    rollout = begin_rollout(experiment, RolloutPlan(), START.timestamp())
    soon = gather_evidence(store.outcomes, experiment, rollout, START + timedelta(minutes=59))
    assert soon.units == 0
    evidence = gather_evidence(store.outcomes, experiment, rollout, START + timedelta(hours=1))
    assert evidence.units == counts["new"] > 300
    assert evidence.sample_ratio.counts == counts and not evidence.sample_ratio.mismatch
    assert [(one.measured, one.crossed) for one in evidence.guardrails] == [(True, False)] * 2


def test_who_got_treatment_with_everyone_counts_for_limits_alone(store, experiment):
    counts = show_lists(store, "one", USERS, START, lambda variant, number: number % 2 == 0)
    then = START + timedelta(hours=3)
    rollout = begin_rollout(experiment, RolloutPlan((0.5, 1.0)), START.timestamp())
    rollout = rollout.then(RolloutState(rollout.state.plan, then.timestamp(), 1))
    shares = [{"name": "control", "share": 0.0}, {"name": "new", "share": 1.0}]
    store.experiments.change("one", "ramp", "key", definition={**DEFINITION, "variants": shares})
    # Nobody clicks any more: by the limit that is harm, and compared with control nothing has changed.
    assert show_lists(store, "one", [*USERS, *(f"late-{one}" for one in range(900))], then, lambda *_: False) == {
        "new": 1700
    }
    evidence = gather_evidence(store.outcomes, experiment, rollout, then + timedelta(hours=1))
    relative, limit = evidence.guardrails
    assert evidence.units == 1700
    assert evidence.sample_ratio.counts == counts
    assert (relative.crossed, relative.measured) == (False, True)
    assert relative.margin > 0
    assert limit.crossed
