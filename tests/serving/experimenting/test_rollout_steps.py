from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from recsys_serving.experimenting.experiment_changes import ExperimentChanges
from recsys_serving.experimenting.experiment_rollout import rollout_of
from recsys_serving.experimenting.rollout_steps import LOCK, RolloutSteps
from recsys_serving.store.admin.records import ExperimentStatus
from recsys_serving.store.store import Store

from recsys.errors import ExperimentError
from recsys.experiments.rollout import RolloutPlan
from tests.serving.experimenting.shown_lists import CLICKERS, show_lists

START = datetime(2024, 3, 1, tzinfo=UTC)
PLAN = RolloutPlan(steps=(0.05, 0.5, 1.0), min_hours=2, min_units=50)
DEFINITION = {**CLICKERS, "salt": "rollout"}


class Clock:
    """A time that a test sets."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def wait(self, hours: float) -> None:
        self.now += timedelta(hours=hours)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def steps(store, clock):
    return RolloutSteps(store, 1e6, clock)


def begin(store, clock, plan=PLAN, **definition):
    changes = ExperimentChanges(store, lambda: clock.now.timestamp())
    changes.create("one", "One", {**DEFINITION, **definition}, "key")
    return changes.roll_out("one", plan, "key")


def users(name, number):
    return [f"{name}-{one}" for one in range(number)]


def every_second(variant, number):
    return number % 2 == 0


def state(store):
    return rollout_of(store.experiments.get("one")).state


def shares(store):
    definition = store.experiments.get("one").definition
    traffic = sum(stop - start for start, stop in definition["buckets"]) / 10_000
    return traffic, [variant["share"] for variant in definition["variants"]]


def test_a_variant_that_does_no_harm_climbs_all_steps(store, clock, steps):
    assert begin(store, clock).status is ExperimentStatus.RUNNING
    assert shares(store) == (0.1, [0.5, 0.5])
    for step, expected in enumerate([(1.0, [0.5, 0.5]), (1.0, [0.0, 1.0])]):
        show_lists(store, "one", users(step, 5000), clock.now, every_second)
        steps.look()
        assert (state(store).step, "hours have passed" in state(store).reason) == (step, True)
        clock.wait(3)
        # Each look is by a worker that has just begun: nothing is kept in memory.
        assert RolloutSteps(store, 1e6, clock).look()
        assert (state(store).step, shares(store)) == (step + 1, expected)
    # Everyone, control's users too, has treatment now: half of these are new to it.
    counts = show_lists(store, "one", users(1, 100) + users("late", 100), clock.now, every_second)
    assert counts == {"new": 200}
    clock.wait(3)
    steps.look()
    found = store.experiments.get("one")
    assert (state(store).status, found.status, shares(store)) == ("done", "running", (1.0, [0.0, 1.0]))
    assert "make its bundle or its options the live ones" in state(store).reason
    revision = found.revision
    clock.wait(3)
    steps.look()
    assert store.experiments.get("one").revision == revision
    acts = ["rollout.start", "rollout.step", "rollout.step", "rollout.done"]
    assert [step.act for step in store.experiments.steps("one")] == ["create", *acts]
    audit = [(entry.actor, entry.act) for entry in store.audit.list_entries()]
    assert audit[:3] == [("rollout", f"experiment.{act}") for act in reversed(acts[1:])]


def test_a_guardrail_takes_a_harmful_variant_back(store, clock, steps):
    begin(store, clock)
    show_lists(
        store, "one", users("a", 8000), clock.now, lambda variant, number: variant == "control" or number % 4 == 0
    )
    clock.wait(1.5)  # sooner than a step lasts
    steps.look()
    found = store.experiments.get("one")
    assert (state(store).status, found.status) == ("rolled back", "stopped")
    assert state(store).reason.startswith("Rolled back. Guardrail: clickers") and state(store).treatment_share == 0
    assert store.experiments.steps("one")[-1].actor == "rollout"
    assert store.audit.list_entries()[0].detail["reason"] == state(store).reason
    revision = found.revision
    steps.look()
    assert store.experiments.get("one").revision == revision


def test_a_limit_takes_a_variant_back_that_everyone_has(store, clock, steps):
    limits = [{"metric": "clickers", "limit": 0.3}]
    begin(store, clock, RolloutPlan(steps=(1.0,), min_hours=2), guardrails=limits)
    assert show_lists(store, "one", users("a", 300), clock.now, lambda *_: False) == {"new": 300}
    clock.wait(1.5)
    steps.look()
    assert state(store).status == "rolled back"


def test_at_the_last_step_control_users_that_changed_count_for_treatment(store, clock, steps):
    begin(store, clock, RolloutPlan(steps=(0.5, 1.0), min_hours=1, min_units=100))
    show_lists(store, "one", users("a", 600), clock.now, every_second)
    clock.wait(2)
    steps.look()
    assert state(store).step == 1
    before = state(store).units_before
    show_lists(store, "one", users("a", 600), clock.now, every_second)
    clock.wait(2)
    steps.look()
    assert state(store).status == "done"
    assert store.experiments.steps("one")[-1].detail["units"] == 600 > before


def test_a_rollout_holds_where_shares_are_wrong(store, clock, steps):
    begin(store, clock)
    counts = show_lists(store, "one", users("a", 9000), clock.now, every_second)
    assert counts["new"] > 300
    experiment = store.experiments.get("one")
    control_alone = [user for user in users("b", 9000) if variant_of(experiment, user) == "control"]
    show_lists(store, "one", control_alone, clock.now, every_second)
    clock.wait(3)
    steps.look()
    assert (state(store).step, state(store).status) == (0, "running")
    assert "do not have the units that they should" in state(store).reason


def variant_of(record, user):
    from recsys_serving.experimenting.experiment_changes import experiment_of

    from recsys.experiments.assignment import assign

    assignment = assign(experiment_of(record), user)
    return None if assignment is None else assignment.variant.name


def test_a_rollout_holds_where_its_layer_is_full_and_goes_on_when_there_is_room(store, clock, steps):
    begin(store, clock)
    changes = ExperimentChanges(store)
    changes.create("other", "Other", {**DEFINITION, "buckets": [[5000, 10000]]}, "key")
    changes.start("other", "key")
    show_lists(store, "one", users("a", 5000), clock.now, every_second)
    clock.wait(3)
    steps.look()
    assert state(store).step == 0 and "stop an experiment of the layer" in state(store).reason
    changes.stop("other", "key")
    steps.look()
    assert state(store).step == 1


def test_why_it_waits_is_noted_without_a_new_revision(store, clock, steps):
    begun = begin(store, clock)
    steps.look()
    assert "Holds at 0.05" in state(store).reason
    assert store.experiments.get("one").revision == begun.revision
    assert len(store.audit.list_entries()) == 2


def test_a_paused_rollout_waits_and_its_step_begins_anew(store, clock, steps):
    begin(store, clock)
    show_lists(store, "one", users("a", 5000), clock.now, every_second)
    changes = ExperimentChanges(store, lambda: clock.now.timestamp())
    changes.pause("one", "key")
    clock.wait(3)
    steps.look()
    assert (state(store).step, store.experiments.get("one").status) == (0, "paused")
    changes.resume("one", "key")
    assert state(store).reason == "The step begins anew."
    steps.look()
    assert state(store).step == 0
    clock.wait(3)
    steps.look()
    assert state(store).step == 1


def test_units_that_were_erased_do_not_stop_a_rollout(store, clock, steps):
    begin(store, clock)
    show_lists(store, "one", users("a", 5000), clock.now, every_second)
    clock.wait(3)
    steps.look()
    assert state(store).units_before > 0
    for user in users("a", 5000):
        if variant_of(store.experiments.get("one"), user) == "new":
            store.users.erase(user, clock.now, {})
            break
    steps.look()
    assert (state(store).step, state(store).status) == (1, "running")
    assert "hours have passed" in state(store).reason


def test_one_worker_looks_at_a_time(store, clock, steps, database_url):
    begin(store, clock)
    show_lists(store, "one", users("a", 5000), clock.now, every_second)
    clock.wait(3)
    other = Store.connect(database_url)
    with other.leadership(LOCK) as leads:
        assert leads and not steps.look()
        assert state(store).step == 0
    assert steps.look() and state(store).step == 1
    other.close()


def test_a_step_is_taken_once_even_where_two_workers_lead(store, clock, database_url, monkeypatch):
    begin(store, clock)
    show_lists(store, "one", users("a", 5000), clock.now, every_second)
    clock.wait(3)

    @contextmanager
    def leading(self, lock):
        yield True

    monkeypatch.setattr(Store, "leadership", leading)
    workers = [Store.connect(database_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda worker: RolloutSteps(worker, 1e6, clock).look(), workers))
    for worker in workers:
        worker.close()
    assert state(store).step == 1
    assert [step.act for step in store.experiments.steps("one")].count("rollout.step") == 1


def test_what_is_wrong_with_one_experiment_does_not_keep_the_others(store, clock, steps, caplog):
    begin(store, clock)
    show_lists(store, "one", users("a", 5000), clock.now, every_second)
    store.experiments.create("broken", "Broken", {"variants": []}, "key")
    store.experiments.change(
        "broken", "start", "key", status=ExperimentStatus.RUNNING, rollout=store.experiments.get("one").rollout
    )
    clock.wait(3)
    assert steps.look()
    assert state(store).step == 1


def test_nothing_happens_while_the_store_is_away():
    away = Store.connect("postgresql://nobody@127.0.0.1:1/none")
    assert RolloutSteps(away, 1e6).look() is False
    away.close()


def test_a_thread_looks_until_it_is_closed(store):
    steps = RolloutSteps(store, 1e6)
    steps.start()
    steps.close()


@pytest.mark.parametrize(
    ("definition", "plan", "message"),
    [
        ({"guardrails": []}, PLAN, "needs a guardrail"),
        ({}, RolloutPlan(steps=(1.0,)), "at most .5 before everyone"),
        ({"variants": [{"name": name, "share": 0.25} for name in "abcd"]}, PLAN, "two variants"),
    ],
)
def test_what_cannot_be_rolled_out_is_refused(store, clock, definition, plan, message):
    with pytest.raises(ExperimentError, match=message):
        begin(store, clock, plan, **definition)
    assert store.experiments.get("one").status is ExperimentStatus.DRAFT
