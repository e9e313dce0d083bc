import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from recsys_serving.experimenting.results import experiment_results
from recsys_serving.store.events.records import UserOutcome

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


def outcome(user_id: str, variant: str, clicks: int, days: int = 20, variants: int = 1) -> UserOutcome:
    interactions = {"click": clicks} if clicks else {}
    return UserOutcome(user_id, variant, NOW - timedelta(days=days), 3, interactions, {}, variants)


def many(variant: str, clicking: int, number: int = 1000) -> list[UserOutcome]:
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
    assert json.loads(json.dumps(asdict(results), allow_nan=False))["comparisons"]["new"][0]["low"] is None
