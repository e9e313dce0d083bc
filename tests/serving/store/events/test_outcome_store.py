from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pandas as pd
import pytest
from recsys_serving.store.events.records import Exposure, Interaction, ItemTrials, OutcomeWindows, UnitOutcome

from recsys.experiments.experiment import Experiment, Variant
from recsys.experiments.metric import Metric
from recsys.experiments.outcomes import count_column, join_outcomes, value_column
from tests.serving.store.moments import NOON, minutes, watched

HOUR = 3600.0
LONG = OutcomeWindows(1000 * HOUR, 1000 * HOUR)


def shown(number: int, user_id: str | None = "ada", **others) -> Exposure:
    """A list of two items at noon, or as told."""
    given = {"shown_at": NOON, "item_ids": ("1", "2"), "propensities": None, "context": {"k": 2}} | others
    return Exposure(UUID(int=number), user_id, bundle="first", model_version="7", **given)


def did(event_id: str, user_id: str, item_id: str, number: int, kind: str = "click", **others) -> Interaction:
    """An interaction with an item of a list."""
    return watched(event_id, user_id, item_id, type=kind, recommendation_id=UUID(int=number), **others)


@pytest.fixture
def experiment(store):
    """Three users in an experiment, two of whom did this and that with its lists."""
    store.exposures.append(
        [
            shown(1, "ada", variant="a", experiment_id="x"),
            shown(2, "ada", variant="a", experiment_id="x", shown_at=minutes(10)),
            shown(3, "bob", variant="b", experiment_id="x"),
            shown(4, "bob", variant="a", experiment_id="other"),
            shown(5, "cyd", variant="b", experiment_id="x", shown_at=minutes(5)),
            shown(6, None, variant="b", experiment_id="x"),
        ]
    )
    store.interactions.append(
        [
            did("e1", "ada", "1", 1, occurred_at=minutes(1)),
            did("e2", "ada", "2", 2, occurred_at=minutes(11)),
            did("e3", "ada", "2", 2, "purchase", value=2.5, occurred_at=minutes(12)),
            did("e4", "ada", "9", 1),  # was not in the list
            did("e5", "bob", "1", 4),  # of another experiment
            watched("e6", "bob", "1"),  # names no list
            did("e7", "ada", "1", 2, occurred_at=minutes(9)),  # before its list
        ]
    )


def test_outcomes_count_what_was_done_with_the_lists(store, experiment):
    assert store.outcomes.units("x", LONG) == (
        UnitOutcome("ada", "a", NOON, 2, {"click": 2, "purchase": 1}, {"click": 0, "purchase": 2.5}, 1),
        UnitOutcome("bob", "b", NOON, 1, {}, {}, 1),
        UnitOutcome("cyd", "b", minutes(5), 1, {}, {}, 1),
    )


def test_an_interaction_belongs_to_the_list_that_it_names_whoever_sends_it(store, experiment):
    store.interactions.append([did("e8", "ada at home", "1", 3, occurred_at=minutes(1))])
    assert store.outcomes.units("x", LONG)[1].interactions == {"click": 1}


def test_what_comes_after_a_window_does_not_count(store, experiment):
    ada = store.outcomes.units("x", OutcomeWindows(1000 * HOUR, 90.0))[0]
    assert (ada.exposures, ada.interactions) == (2, {"click": 2})
    ada = store.outcomes.units("x", OutcomeWindows(599.0, 1000 * HOUR))[0]
    assert (ada.exposures, ada.interactions) == (1, {"click": 1})


def test_outcomes_of_a_period_are_those_of_its_lists(store, experiment):
    early = store.outcomes.units("x", LONG, until=minutes(5))
    assert [(one.unit_id, one.exposures, one.interactions) for one in early] == [
        ("ada", 1, {"click": 1}),
        ("bob", 1, {}),
    ]
    late = store.outcomes.units("x", LONG, since=minutes(5))
    assert [(one.unit_id, one.interactions) for one in late] == [("cyd", {}), ("ada", {"click": 1, "purchase": 1})]


def test_a_unit_that_saw_two_variants_counts_for_the_first_and_is_told(store, experiment):
    store.exposures.append([shown(7, "bob", variant="a", experiment_id="x", shown_at=minutes(1))])
    bob = store.outcomes.units("x", LONG)[1]
    assert (bob.variant, bob.exposures, bob.variants) == ("b", 2, 2)


def test_sessions_are_units_where_an_experiment_assigns_them(store):
    sessions = [
        shown(1, None, variant="a", experiment_id="x", context={"session_id": "s1"}),
        shown(2, "ada", variant="b", experiment_id="x", context={"session_id": "s2"}),
        shown(3, "ada", variant="b", experiment_id="x"),
    ]
    store.exposures.append(sessions)
    store.interactions.append([did("e1", "whoever", "1", 1)])
    found = store.outcomes.units("x", LONG, "session")
    assert [(one.unit_id, one.variant, one.interactions) for one in found] == [
        ("s1", "a", {"click": 1}),
        ("s2", "b", {}),
    ]


def test_a_list_of_two_experiments_counts_for_both(store):
    both = {"variants": {"first": "a", "second": "new"}}
    store.exposures.append([shown(1, variant="a", experiment_id="first", context=both)])
    store.interactions.append([did("e1", "ada", "1", 1)])
    for experiment_id, variant in both["variants"].items():
        (ada,) = store.outcomes.units(experiment_id, LONG)
        assert (ada.variant, ada.exposures, ada.interactions) == (variant, 1, {"click": 1})


def test_an_experiment_without_lists_has_no_outcomes(store):
    assert store.outcomes.units("x", LONG) == ()


def test_outcomes_are_those_of_the_join_in_memory(store, experiment):
    """The same rows by SQL and by recsys.experiments.outcomes, with windows that leave something out."""
    store.exposures.append([shown(8, "cyd", variant="b", experiment_id="x", shown_at=minutes(400))])
    store.interactions.append(
        [did("e9", "cyd", "1", 5, occurred_at=minutes(64)), did("e10", "cyd", "1", 5, occurred_at=minutes(66))]
    )
    windows = Experiment(
        id="x",
        salt="s",
        variants=[Variant("a", 0.5), Variant("b", 0.5)],
        metrics=[Metric("clicks", "click"), Metric("spent", "purchase", kind="mean", sum_values=True)],
        exposure_window_hours=5.0,
        attribution_window_hours=1.0,
    )
    now = datetime(2024, 4, 1, tzinfo=UTC)
    lists = [one for one in store.exposures.iterate(minutes(-1), now, "x") if one.user_id is not None]
    exposures = pd.DataFrame(
        {
            "recommendation_id": [one.recommendation_id for one in lists],
            "unit_id": [one.user_id for one in lists],
            "variant": [one.variant for one in lists],
            "shown_at": [one.shown_at for one in lists],
            "item_ids": [list(one.item_ids) for one in lists],
        }
    )
    done = [store.interactions.get(f"e{number}") for number in (1, 2, 3, 4, 5, 7, 9, 10)]
    events = pd.DataFrame(
        {
            "event_id": [one.event_id for one in done],
            "recommendation_id": [one.recommendation_id for one in done],
            "event": [one.type for one in done],
            "occurred_at": [one.occurred_at for one in done],
            "item_id": [one.item_id for one in done],
            "value": [one.value or 0.0 for one in done],
        }
    )
    joined = join_outcomes(exposures, events, windows, now.timestamp()).units
    found = store.outcomes.units("x", OutcomeWindows(5 * HOUR, HOUR))
    assert joined["unit_id"].tolist() == [one.unit_id for one in found] == ["ada", "bob", "cyd"]
    assert joined["exposures"].tolist() == [one.exposures for one in found] == [2, 1, 1]
    for kind in ("click", "purchase"):
        assert joined[count_column(kind)].tolist() == [one.interactions.get(kind, 0) for one in found]
        assert joined[value_column(kind)].tolist() == [one.values.get(kind, 0.0) for one in found]
    assert found[2].interactions == {"click": 1}


@pytest.fixture
def explored(store):
    """Lists whose second place explores; what was clicked."""
    lists = [
        shown(number, item_ids=("1", item), propensities=(1.0, 0.25), experiment_id=name, shown_at=minutes(number))
        for number, item, name in [(1, "7", "x"), (2, "7", "x"), (3, "8", "y")]
    ]
    store.exposures.append([*lists, shown(4, shown_at=minutes(4))])
    store.interactions.append(
        [
            did("e1", "ada", "7", 1, occurred_at=minutes(2)),
            did("e2", "ada", "1", 1, occurred_at=minutes(2)),
            did("e3", "ada", "7", 2, "view", occurred_at=minutes(3)),
            did("e4", "ada", "8", 3, occurred_at=minutes(90)),
        ]
    )
    return lists


def test_the_latest_lists_that_explored_are_read(store, explored):
    first, second, third = explored
    assert store.outcomes.explored(minutes(0), minutes(10), 10) == (third, second, first)
    assert store.outcomes.explored(minutes(0), minutes(3), 1) == (second,)
    assert store.outcomes.explored(minutes(0), minutes(10), 10, "y") == (third,)


def test_rewards_are_the_items_that_were_clicked_in_time(store, explored):
    assert store.outcomes.rewarded(explored, "click", HOUR) == {UUID(int=1): {"1", "7"}}
    assert store.outcomes.rewarded(explored, "click", 2 * HOUR)[UUID(int=3)] == {"8"}
    assert store.outcomes.rewarded([], "click", HOUR) == {}


def test_items_are_counted_where_they_were_shown_by_chance(store, explored):
    count = store.outcomes.item_trials
    given = (minutes(0), minutes(10), ["click"], HOUR)
    assert count(*given, max_lists=10, max_items=10) == (ItemTrials("7", 2, 1), ItemTrials("8", 1, 0))
    assert count(*given, max_lists=1, max_items=10) == (ItemTrials("8", 1, 0),)
    assert count(*given, max_lists=10, max_items=1) == (ItemTrials("7", 2, 1),)
    assert count(minutes(0), minutes(10), ["click", "view"], 2 * HOUR, 10, 10)[0] == ItemTrials("7", 2, 2)
