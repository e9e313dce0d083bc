from __future__ import annotations

import pytest
from recsys_serving.store.admin.records import ExperimentStatus
from recsys_serving.store.errors import Conflict, NotFound, PreconditionFailed

DRAFT, RUNNING, STOPPED = ExperimentStatus.DRAFT, ExperimentStatus.RUNNING, ExperimentStatus.STOPPED


@pytest.fixture
def experiment(store):
    return store.experiments.create("x", "Which model", {"variants": ["a", "b"]}, "key-1")


def test_an_experiment_begins_as_a_draft(store, experiment):
    assert (experiment.experiment_id, experiment.name, experiment.status) == ("x", "Which model", DRAFT)
    assert (experiment.definition, experiment.started_at, experiment.stopped_at) == (
        {"variants": ["a", "b"]},
        None,
        None,
    )
    assert store.experiments.get("x") == experiment


def test_an_experiment_that_is_not_there_is_none(store):
    assert store.experiments.get("x") is None


def test_an_experiment_is_made_once(store, experiment):
    with pytest.raises(Conflict, match="experiment 'x' already"):
        store.experiments.create("x", "Again", {}, "key-1")
    assert len(store.experiments.steps("x")) == 1


def test_it_is_started_stopped_and_started_again(store, experiment):
    started = store.experiments.change("x", "start", "key-1", status=RUNNING)
    assert (started.status, started.started_at, started.stopped_at) == (RUNNING, started.updated_at, None)
    stopped = store.experiments.change("x", "stop", "key-1", status=STOPPED)
    assert (stopped.started_at, stopped.stopped_at) == (started.started_at, stopped.updated_at)
    again = store.experiments.change("x", "start", "key-1", status=RUNNING)
    assert (again.started_at, again.stopped_at) == (started.started_at, None)


def test_name_and_definition_change_where_given(store, experiment):
    store.experiments.change("x", "edit", "key-1", name="Better name")
    changed = store.experiments.change("x", "edit", "key-1", definition={"variants": ["c"]})
    assert (changed.name, changed.definition, changed.status) == ("Better name", {"variants": ["c"]}, DRAFT)


def test_each_change_raises_the_common_revision(store, experiment):
    other = store.experiments.create("y", "Other", {}, "key-1")
    changed = store.experiments.change("x", "start", "key-1", status=RUNNING)
    assert [experiment.revision, other.revision, changed.revision] == [1, 2, 3]
    assert store.experiments.revision() == 3


def test_a_change_of_another_revision_is_refused(store, experiment):
    with pytest.raises(PreconditionFailed, match="Revision 9 of experiment 'x' .* has 1 by now"):
        store.experiments.change("x", "stop", "key-1", status=STOPPED, expected_revision=9)
    assert store.experiments.change("x", "stop", "key-1", status=STOPPED, expected_revision=1).status is STOPPED


def test_a_change_of_nothing_is_not_found(store):
    with pytest.raises(NotFound, match="no experiment 'x'"):
        store.experiments.change("x", "stop", "key-1")


def test_what_was_done_is_kept_in_order(store, experiment):
    store.experiments.change("x", "ramp", "key-2", definition={"share": 0.5}, detail={"from": 0.1, "to": 0.5})
    steps = store.experiments.steps("x")
    assert [(step.act, step.actor, step.detail) for step in steps] == [
        ("create", "key-1", {}),
        ("ramp", "key-2", {"from": 0.1, "to": 0.5}),
    ]
    assert steps[0].at <= steps[1].at


def test_experiments_are_listed_by_status(store, experiment):
    store.experiments.create("a", "Other", {}, "key-1")
    store.experiments.change("x", "start", "key-1", status=RUNNING)
    assert [one.experiment_id for one in store.experiments.list_experiments()] == ["x", "a"]
    assert [one.experiment_id for one in store.experiments.list_experiments(RUNNING)] == ["x"]


def test_it_is_paused_and_goes_on(store, experiment):
    started = store.experiments.change("x", "start", "key-1", status=RUNNING)
    paused = store.experiments.change("x", "pause", "key-1", status=ExperimentStatus.PAUSED)
    assert (paused.status, paused.started_at, paused.stopped_at) == (ExperimentStatus.PAUSED, started.started_at, None)
    assert store.experiments.change("x", "resume", "key-1", status=RUNNING).started_at == started.started_at


def test_where_a_rollout_is_comes_with_the_experiment(store, experiment):
    assert experiment.rollout is None
    changed = store.experiments.change("x", "rollout", "rollout", rollout={"step": 1})
    assert (changed.rollout, changed.revision) == ({"step": 1}, 2)
    assert store.experiments.change("x", "edit", "key-1", name="Other").rollout == {"step": 1}


def test_a_note_on_a_rollout_leaves_the_revision(store, experiment):
    assert store.experiments.note_rollout("x", {"step": 0, "reason": "waits"}, experiment.revision)
    found = store.experiments.get("x")
    assert (found.rollout, found.revision) == ({"step": 0, "reason": "waits"}, experiment.revision)
    assert not store.experiments.note_rollout("x", {"step": 9}, experiment.revision + 1)
    assert store.experiments.get("x").rollout["step"] == 0
