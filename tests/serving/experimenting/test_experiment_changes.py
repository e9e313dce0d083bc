import pytest
from recsys_serving.experimenting.experiment_changes import ExperimentChanges, experiment_of
from recsys_serving.store.errors import Conflict, NotFound

from recsys.errors import ExperimentError

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
    with pytest.raises(ExperimentError, match="must not share buckets"):
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
