from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from recsys_serving.experimenting.experiment_changes import ExperimentChanges
from recsys_serving.experimenting.reading import find_experiment, read_control, read_results, treatment_of
from recsys_serving.store.errors import NotFound

from recsys.errors import ExperimentError
from tests.serving.experimenting.shown_lists import show_lists

DEFINITION = {
    "variants": [{"name": "control", "share": 0.5}, {"name": "new", "share": 0.5}],
    "metrics": [{"name": "clickers", "event": "click"}],
    "exposure_window_hours": 1.0,
    "attribution_window_hours": 1.0,
    "salt": "fixed",
}
USERS = [f"user-{number}" for number in range(600)]


@pytest.fixture
def record(store):
    changes = ExperimentChanges(store)
    changes.create("one", "One", DEFINITION, "key")
    return changes.start("one", "key")


def test_an_experiment_is_found_or_said_not_to_be_there(store, record):
    assert find_experiment(store, "one") == record
    with pytest.raises(NotFound, match="no experiment 'two'"):
        find_experiment(store, "two")


def test_results_come_from_the_store(store, record):
    counts = show_lists(
        store,
        "one",
        USERS,
        datetime.now(UTC) - timedelta(days=3),
        lambda variant, n: n % (2 if variant == "new" else 10) == 0,
    )
    looks = read_results(store, record, looks=10)
    assert looks[-1].num_units == counts
    assert looks[-1].comparisons["new"][0]["verdict"] == "better"
    assert 3 <= len(looks) <= 4


def test_once_everyone_has_treatment_what_was_before_is_compared(store, record):
    then = datetime.now(UTC) - timedelta(hours=5)
    counts = show_lists(store, "one", USERS, then - timedelta(hours=5), lambda variant, number: number % 2 == 0)
    shares = [{"name": "control", "share": 0.0}, {"name": "new", "share": 1.0}]
    rollout = {"plan": {"steps": [0.5, 1.0]}, "since": then.timestamp(), "step": 1, "everyone_since": then.timestamp()}
    changed = store.experiments.change(
        "one", "rollout.step", "rollout", definition={**record.definition, "variants": shares}, rollout=rollout
    )
    show_lists(store, "one", USERS, then, lambda *_: False)
    (found,) = read_results(store, changed)
    assert (found.num_units, found.num_crossed, found.sample_ratio["mismatch"]) == (counts, 0, False)
    assert found.comparisons["new"][0]["treatment"] == pytest.approx(0.5, abs=0.01)


def test_control_is_what_users_are_today(store, record):
    counts = show_lists(store, "one", USERS, datetime.now(UTC) - timedelta(hours=3), lambda variant, n: n % 4 == 0)
    control = read_control(store, record, "clickers")
    assert control.count == counts["control"]
    assert float(control.mean) == pytest.approx(0.25, abs=0.01)
    with pytest.raises(ExperimentError, match="has the metrics clickers; 'sales'"):
        read_control(store, record, "sales")


def test_what_a_variant_sets_is_known_before_it_runs(store):
    variants = [
        {"name": "control", "share": 0.5},
        {"name": "new", "share": 0.5, "bundle": "bundles/second/", "list_options": {"diversity": "mmr"}},
    ]
    draft = ExperimentChanges(store).create("two", "Two", {**DEFINITION, "variants": variants}, "key")
    found = treatment_of(draft, "new")
    assert (found.experiment_id, found.variant, found.bundle) == ("two", "new", "second")
    assert found.list_options == {"diversity": "mmr"} and treatment_of(draft, "control").bundle is None
    with pytest.raises(NotFound, match="it has control, new"):
        treatment_of(draft, "old")
