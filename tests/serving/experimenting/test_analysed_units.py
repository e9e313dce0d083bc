from datetime import UTC, datetime, timedelta

from recsys_serving.experimenting.analysed_units import AnalysedUnits, counts_of, statistics_of, windows_of
from recsys_serving.store.events.records import OutcomeWindows, UnitOutcome

from recsys.experiments.experiment import Experiment, Variant
from recsys.experiments.metric import Metric

NOW = datetime(2024, 6, 1, tzinfo=UTC)
EXPERIMENT = Experiment(
    "one",
    "salt",
    [Variant("control", 0.5), Variant("new", 0.5)],
    metrics=[Metric("ctr", "click", kind="ratio", denominator="exposures"), Metric("spent", "buy", "mean", None, True)],
    overrides={"tester": "new"},
    exposure_window_hours=2,
    attribution_window_hours=1,
)


def outcome(unit_id, hours, variant="control", variants=1):
    """Of a unit whose first list was so many hours ago."""
    return UnitOutcome(unit_id, variant, NOW - timedelta(hours=hours), 4, {"click": 2}, {"buy": 1.5}, variants)


def test_units_come_when_their_outcomes_are_final():
    units = AnalysedUnits(
        EXPERIMENT, [outcome("b", 2.9), outcome("a", 5), outcome("c", 4, variants=2), outcome("tester", 9)]
    )
    assert units.num_crossed == 1
    assert units.final_at(NOW)["unit_id"].tolist() == ["a"]
    assert units.final_at(NOW + timedelta(hours=0.1))["unit_id"].tolist() == ["a", "b"]
    assert [units.num_unfinished(NOW - timedelta(hours=ago)) for ago in (6, 5, 2.5, 2, 0, -1)] == [0, 1, 2, 1, 1, 0]


def test_the_columns_are_those_of_the_metrics():
    rows = AnalysedUnits(EXPERIMENT, [outcome("a", 5)]).final_at(NOW)
    (row,) = rows.drop(columns="final_at").to_dict("records")
    assert row == {
        "unit_id": "a",
        "variant": "control",
        "exposures": 4,
        "count:buy": 0,
        "value:buy": 1.5,
        "count:click": 2,
        "value:click": 0.0,
    }


def test_variants_without_units_have_moments_of_nothing():
    rows = AnalysedUnits(EXPERIMENT, [outcome(name, 5) for name in "ab"]).final_at(NOW)
    assert counts_of(rows, EXPERIMENT) == {"control": 2, "new": 0}
    found = statistics_of(rows, EXPERIMENT)
    assert float(found["control"]["ctr"].estimate().value) == 0.5
    assert (found["new"]["ctr"].count, found["new"]["spent"].count) == (0, 0)
    assert statistics_of(rows.iloc[:0], EXPERIMENT)["control"]["spent"].count == 0


def test_windows_are_in_seconds():
    assert windows_of(EXPERIMENT) == OutcomeWindows(7200, 3600)
