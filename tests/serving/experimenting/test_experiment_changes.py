import pytest
from recsys_serving.experimenting.experiment_changes import ExperimentChanges, experiment_of
from recsys_serving.store.admin.records import ExperimentStatus
from recsys_serving.store.errors import Conflict, NotFound

from recsys.experiments.assignment import assign
from recsys.experiments.rollout import RolloutPlan

DEFINITION = {"variants": [{"name": "control", "share": 0.5}, {"name": "new", "share": 0.5}]}


def test_an_experiment_comes_back_with_the_status_of_its_record(store):
    changes = ExperimentChanges(store)
    draft = experiment_of(changes.create("one", "One", {**DEFINITION, "status": "running", "id": "x"}, "key"))
    assert (draft.id, draft.status, draft.shares) == ("one", "draft", {"control": 0.5, "new": 0.5})
    assert experiment_of(changes.start("one", "key")).status == "running"


def test_a_salt_of_its_own_stays(store):
    changes = ExperimentChanges(store)
    salt = experiment_of(changes.create("one", "One", DEFINITION, "key")).salt
    assert experiment_of(changes.start("one", "key")).salt == salt
    assert experiment_of(changes.ramp("one", 0.2, "key")).salt == salt
    assert experiment_of(changes.create("two", "Two", DEFINITION, "key")).salt != salt


def test_users_stay_in_an_experiment_that_grows(store):
    changes = ExperimentChanges(store)
    changes.create("one", "One", DEFINITION, "key")
    small = experiment_of(changes.ramp("one", 0.1, "key")).buckets
    large = experiment_of(changes.ramp("one", 0.5, "key")).buckets
    assert small == ((0, 1000),) and large == ((0, 5000),)


def test_a_layer_is_shared_by_those_that_run(store):
    changes = ExperimentChanges(store)
    for name in ("one", "two"):
        changes.create(name, name, DEFINITION, "key")
        changes.ramp(name, 0.5, "key")
    changes.start("one", "key")
    with pytest.raises(Conflict, match="must not share buckets"):
        changes.start("two", "key")
    assert store.experiments.get("two").status == "draft"


def test_every_change_is_in_the_audit(store):
    changes = ExperimentChanges(store)
    changes.create("one", "One", DEFINITION, "key-1")
    changes.start("one", "key-2")
    entries = store.audit.list_entries()
    assert [(entry.act, entry.actor) for entry in entries] == [
        ("experiment.start", "key-2"),
        ("experiment.create", "key-1"),
    ]


def test_what_is_not_there_cannot_be_changed(store):
    with pytest.raises(NotFound):
        ExperimentChanges(store).start("none", "key")


def test_what_was_stopped_is_not_ramped(store):
    changes = ExperimentChanges(store)
    changes.create("one", "One", DEFINITION, "key")
    changes.stop("one", "key")
    with pytest.raises(Conflict, match="was stopped"):
        changes.ramp("one", 0.5, "key")


def test_a_paused_experiment_goes_on_with_the_same_variants(store):
    changes = ExperimentChanges(store)
    changes.create("one", "One", DEFINITION, "key")
    users = [f"user-{number}" for number in range(50)]
    before = [assign(experiment_of(changes.start("one", "key")), user) for user in users]
    paused = experiment_of(changes.pause("one", "key"))
    assert [assign(paused, user) for user in users] == [None] * 50
    resumed = experiment_of(changes.resume("one", "key"))
    assert [assign(resumed, user) for user in users] == before and None not in before
    assert [entry.act for entry in store.audit.list_entries()][:2] == ["experiment.resume", "experiment.pause"]


def test_a_paused_experiment_keeps_its_buckets(store):
    changes = ExperimentChanges(store)
    for name in ("one", "two"):
        changes.create(name, name, DEFINITION, "key")
    changes.start("one", "key")
    changes.pause("one", "key")
    with pytest.raises(Conflict, match="must not share buckets"):
        changes.start("two", "key")


def test_what_can_be_paused_resumed_and_started(store):
    changes = ExperimentChanges(store)
    changes.create("one", "One", DEFINITION, "key")
    with pytest.raises(Conflict, match="cannot be paused"):
        changes.pause("one", "key")
    changes.start("one", "key")
    with pytest.raises(Conflict, match="only a paused one"):
        changes.resume("one", "key")
    changes.pause("one", "key")
    with pytest.raises(Conflict, match="is paused. Resume it"):
        changes.start("one", "key")
    assert changes.stop("one", "key").status == "stopped"


def test_an_experiment_that_cannot_be_read_owns_nothing(store):
    store.experiments.create("broken", "Broken", {"variants": []}, "key")
    store.experiments.change("broken", "start", "key", status=ExperimentStatus.RUNNING)
    changes = ExperimentChanges(store)
    changes.create("one", "One", DEFINITION, "key")
    assert changes.start("one", "key").status == "running"


ROLLED = {**DEFINITION, "metrics": [{"name": "ctr", "event": "click"}], "guardrails": [{"metric": "ctr", "limit": 0.1}]}


def test_a_rollout_sets_the_traffic_of_its_experiment(store):
    changes = ExperimentChanges(store, lambda: 1000.0)
    changes.create("one", "One", ROLLED, "key")
    begun = changes.roll_out("one", RolloutPlan(), "key-7")
    assert experiment_of(begun).traffic_share == 0.02
    assert (begun.status, begun.rollout["since"]) == ("running", 1000.0)
    entry = store.audit.list_entries()[0]
    assert (entry.act, entry.actor, entry.detail["min_units"]) == ("experiment.rollout.start", "key-7", 1000)
    with pytest.raises(Conflict, match="set by its rollout"):
        changes.ramp("one", 0.5, "key")
    with pytest.raises(Conflict, match="begins with a draft"):
        changes.roll_out("one", RolloutPlan(), "key")


def test_a_rollout_that_is_stopped_by_hand_is_over(store):
    changes = ExperimentChanges(store, lambda: 1000.0)
    changes.create("one", "One", ROLLED, "key")
    changes.roll_out("one", RolloutPlan(), "key")
    stopped = changes.stop("one", "key")
    assert (stopped.status, stopped.rollout["status"]) == ("stopped", "rolled back")
    assert stopped.rollout["reason"] == "It was stopped by hand."
