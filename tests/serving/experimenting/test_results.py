import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

from recsys_serving.experimenting.results import experiment_results, results_over_time
from recsys_serving.store.events.records import UnitOutcome

from recsys.experiments.experiment import Experiment, Variant
from recsys.experiments.metric import Guardrail, Metric

NOW = datetime(2024, 6, 1, tzinfo=UTC)
EXPERIMENT = Experiment(
    id="one",
    salt="salt",
    variants=[Variant("control", 0.5), Variant("new", 0.5)],
    metrics=[Metric("click_rate", "click")],
    guardrails=[Guardrail("click_rate", relative_tolerance=0.1)],
    overrides={"tester": "new"},
)


def outcome(user_id: str, variant: str, clicks: int, days: int = 20, variants: int = 1) -> UnitOutcome:
    interactions = {"click": clicks} if clicks else {}
    return UnitOutcome(user_id, variant, NOW - timedelta(days=days), 3, interactions, {}, variants)


def many(variant: str, clicking: int, number: int = 1000) -> list[UnitOutcome]:
    return [outcome(f"{variant}-{one}", variant, int(one < clicking)) for one in range(number)]


def test_a_difference_that_is_there_is_found():
    results = experiment_results(EXPERIMENT, many("control", 100) + many("new", 300), NOW)
    (comparison,) = results.comparisons["new"]
    assert (comparison["treatment"], comparison["control"], comparison["verdict"]) == (0.3, 0.1, "better")
    assert results.sample_ratio["mismatch"] is False
    assert results.guardrails["new"][0]["crossed"] is False


def test_shares_that_are_not_kept_are_found():
    results = experiment_results(EXPERIMENT, many("control", 10, 500) + many("new", 10, 1500), NOW)
    assert results.sample_ratio["mismatch"] is True


def test_who_is_left_out():
    outcomes = [
        outcome("a", "control", 1),
        outcome("b", "control", 1, days=1),
        outcome("c", "new", 1, variants=2),
        outcome("tester", "new", 1),
    ]
    results = experiment_results(EXPERIMENT, outcomes, NOW)
    assert (results.num_units, results.num_unfinished, results.num_crossed) == ({"control": 1, "new": 0}, 1, 1)
    assert results.comparisons == {}


def test_results_are_json():
    results = experiment_results(EXPERIMENT, many("control", 1, 5) + many("new", 1, 5), NOW)
    written = json.dumps(asdict(results), allow_nan=False, default=str)
    assert json.loads(written)["comparisons"]["new"][0]["low"] is None


def test_results_over_time_are_those_of_each_day():
    # Windows of eight days in all: units whose first list was 20 days ago are final 12 days ago, at noon.
    early = [replace(one, first_shown_at=one.first_shown_at + timedelta(hours=12)) for one in many("control", 100)]
    outcomes = [*early, *many("new", 300), *(outcome(f"late-{one}", "new", 0, days=10) for one in range(500))]
    looks = results_over_time(EXPERIMENT, outcomes, NOW, looks=400)
    assert [(NOW - look.at).days for look in looks] == list(range(12, -1, -1))
    assert [look.num_units["control"] for look in looks] == [0, *[1000] * 12]
    assert [look.num_units["new"] for look in looks] == [*[1000] * 10, *[1500] * 3]
    assert [look.num_unfinished for look in looks[:4]] == [1000, 0, 500, 500]
    assert looks[0].comparisons == {}
    for look in looks[1:]:
        there = [one for one in outcomes if one.first_shown_at <= look.at]
        assert look == experiment_results(EXPERIMENT, there, look.at)


def test_looks_are_bounded_and_the_last_is_now():
    outcomes = many("control", 100) + many("new", 300)
    noon = NOW + timedelta(hours=12)
    assert [look.at for look in results_over_time(EXPERIMENT, outcomes, noon, looks=3)] == [
        NOW - timedelta(days=1),
        NOW,
        noon,
    ]
    assert [look.at for look in results_over_time(EXPERIMENT, outcomes, noon, looks=1)] == [noon]
    hourly = results_over_time(EXPERIMENT, outcomes, noon, looks=3, hours=1)
    assert [look.at for look in hourly] == [noon - timedelta(hours=2), noon - timedelta(hours=1), noon]
