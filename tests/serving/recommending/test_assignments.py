from dataclasses import replace
from datetime import UTC, datetime

import pytest
from recsys_serving.recommending.assignments import NO_TREATMENT, Assignments
from recsys_serving.store.admin.records import ExperimentRecord, ExperimentStatus

from recsys.experiments.experiment import Experiment, Variant
from recsys.experiments.experiment_json import experiment_to_dict

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def record(experiment, status=ExperimentStatus.RUNNING):
    definition = experiment_to_dict(experiment)
    return ExperimentRecord(experiment.id, experiment.id, status, definition, 1, NOW, NOW, NOW, None)


def experiment(name="e1", **values):
    options = {"diversity": "mmr"}
    variants = [Variant("control", 0.5), Variant("new", 0.5, "bundles/second", options)]
    return Experiment(name, f"salt-{name}", variants, **{"layer": name, **values})


def test_without_experiments_nothing_is_different():
    assert Assignments().treatment("ann", None) is NO_TREATMENT


def test_a_variant_says_what_is_different():
    assignments = Assignments()
    assignments.take([record(experiment(overrides={"ann": "new", "bob": "control"}))])
    ann = assignments.treatment("ann", None)
    assert (ann.experiment_id, ann.variant, ann.bundle) == ("e1", "new", "second")
    assert ann.list_options == {"diversity": "mmr"} and ann.variants == {}
    assert assignments.treatment("bob", None).bundle is None
    assert assignments.bundles() == ["second"]


def test_what_is_stopped_is_nobodys():
    assignments = Assignments()
    assignments.take([record(experiment(overrides={"ann": "new"}), ExperimentStatus.STOPPED)])
    assert assignments.treatment("ann", None) is NO_TREATMENT and assignments.bundles() == []


def test_of_several_experiments_all_are_named_and_the_first_counts():
    assignments = Assignments()
    second = experiment("e2", overrides={"ann": "new"})
    second = replace(
        second, variants=[Variant("control", 0.5), Variant("new", 0.5, "third", {"diversity": None, "k": 3})]
    )
    assignments.take([record(experiment(overrides={"ann": "new"})), record(second)])
    ann = assignments.treatment("ann", None)
    assert (ann.experiment_id, ann.bundle) == ("e1", "second") and ann.list_options == {"diversity": "mmr", "k": 3}
    assert ann.variants == {"e1": "new", "e2": "new"}


def test_a_session_has_experiments_of_its_own():
    assignments = Assignments()
    assignments.take([record(experiment(unit="session", overrides={"visit": "new"}))])
    assert assignments.treatment(None, "visit").variant == "new"
    assert assignments.treatment(None, None) is NO_TREATMENT
    assert assignments.treatment("visit", None) is NO_TREATMENT


def test_one_that_cannot_be_read_is_left_out(caplog):
    assignments = Assignments()
    good = record(experiment(overrides={"ann": "new"}))
    assignments.take([replace(good, experiment_id="bad", definition={"salt": 3}), good])
    assert assignments.treatment("ann", None).variant == "new" and "bad is left out" in caplog.text


def test_experiments_that_exclude_each_other_wrongly_change_nothing(caplog):
    assignments = Assignments()
    assignments.take([record(experiment(overrides={"ann": "new"}))])
    assignments.take([record(experiment(layer="same")), record(experiment("e2", layer="same"))])
    assert assignments.treatment("ann", None).variant == "new" and "stay" in caplog.text


@pytest.mark.parametrize("unit", ["ann", "bob", "cem", "dora"])
def test_a_unit_keeps_its_variant(unit):
    assignments, others = Assignments(), Assignments()
    for one in (assignments, others):
        one.take([record(experiment())])
    first = assignments.treatment(unit, None)
    assert first == others.treatment(unit, None) and first.variant in ("control", "new")
