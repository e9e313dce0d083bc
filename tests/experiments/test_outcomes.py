import pandas as pd
import pyarrow as pa
import pytest

from recsys.errors import ExperimentError
from recsys.experiments.experiment import Experiment, Variant
from recsys.experiments.metric import Metric
from recsys.experiments.outcomes import join_outcomes

HOUR = 3600.0
EXPERIMENT = Experiment(
    "home",
    "s",
    [Variant("control", 0.5), Variant("b", 0.5)],
    metrics=[Metric("clickers", "click")],
    exposure_window_hours=48,
    attribution_window_hours=24,
)


def exposures(*rows, **columns):
    frame = pd.DataFrame(rows, columns=["recommendation_id", "unit_id", "variant", "shown_at"]).assign(**columns)
    return frame.assign(shown_at=frame["shown_at"] * HOUR)


def events(*rows, **columns):
    frame = pd.DataFrame(rows, columns=["recommendation_id", "event", "occurred_at"]).assign(**columns)
    return frame.assign(occurred_at=frame["occurred_at"] * HOUR)


SHOWN = exposures(("r1", "u1", "control", 0.0), ("r2", "u2", "b", 1.0), ("r3", "u1", "control", 30.0))


def joined(shown=SHOWN, happened=None, as_of=1000.0, experiment=EXPERIMENT):
    return join_outcomes(shown, events() if happened is None else happened, experiment, as_of * HOUR)


def column(result, name):
    return dict(zip(result.units["unit_id"], result.units[name], strict=True))


def test_events_are_counted_for_the_unit_of_their_recommendation():
    result = joined(happened=events(("r1", "click", 1.0), ("r3", "click", 31.0), ("r2", "view", 1.5)))
    assert column(result, "count:click") == {"u1": 2, "u2": 0}
    assert column(result, "count:view") == {"u1": 0, "u2": 1}
    assert column(result, "exposures") == {"u1": 2, "u2": 1}
    assert column(result, "variant") == {"u1": "control", "u2": "b"}
    assert result.counts.counted == 3


def test_units_come_in_the_order_in_which_their_outcomes_are_final():
    shown = exposures(("r1", "late", "b", 5.0), ("r2", "early", "b", 1.0), ("r3", "late", "b", 0.5))
    assert joined(shown).units["unit_id"].tolist() == ["late", "early"]


@pytest.mark.parametrize(
    ("hours", "counted", "tally"), [(-0.1, 0, "early"), (0.0, 1, None), (24.0, 1, None), (24.1, 0, "late")]
)
def test_events_count_within_the_attribution_window(hours, counted, tally):
    result = joined(happened=events(("r2", "click", 1.0 + hours)))
    assert column(result, "count:click")["u2"] == result.counts.counted == counted
    assert (result.counts.early, result.counts.late) == (int(tally == "early"), int(tally == "late"))


@pytest.mark.parametrize(("hours", "exposed"), [(48.0, 2), (48.1, 1)])
def test_recommendations_count_within_the_exposure_window(hours, exposed):
    shown = exposures(("r1", "u1", "control", 0.0), ("r2", "u1", "control", hours))
    result = joined(shown, events(("r2", "click", hours + 1)))
    assert column(result, "exposures") == {"u1": exposed}
    assert column(result, "count:click") == {"u1": exposed - 1}


@pytest.mark.parametrize(("as_of", "units"), [(71.9, []), (72.0, ["u1"]), (73.0, ["u1", "u2"])])
def test_a_unit_is_analysed_when_its_windows_are_over(as_of, units):
    result = joined(as_of=as_of)
    assert result.units["unit_id"].tolist() == units
    assert result.counts.unfinished_units == 2 - len(units)


def test_the_row_of_a_unit_does_not_change_afterwards():
    shown = exposures(("r1", "u1", "b", 0.0), ("r2", "u1", "b", 47.0), ("r3", "u1", "b", 60.0))
    happened = events(("r1", "click", 20.0), ("r2", "click", 70.0), ("r3", "click", 61.0), ("r1", "click", 90.0))
    first, later = joined(shown, happened, as_of=72.0), joined(shown, happened, as_of=500.0)
    pd.testing.assert_frame_equal(first.units, later.units)
    assert column(first, "count:click") == {"u1": 2}


def test_events_and_exposures_that_come_again_are_counted_once():
    happened = events(*[("r1", "click", 1.0)] * 3, ("r1", "click", 2.0), event_id=["e1", "e1", "e1", "e2"])
    result = joined(pd.concat([SHOWN, SHOWN]), happened)
    assert column(result, "count:click")["u1"] == 2
    assert column(result, "exposures") == {"u1": 2, "u2": 1}
    assert (result.counts.repeated_events, result.counts.repeated_exposures) == (2, 3)


def test_an_event_that_comes_again_later_keeps_its_first_time():
    happened = events(("r1", "click", 40.0), ("r1", "click", 1.0), event_id=["e1", "e1"])
    assert column(joined(happened=happened), "count:click")["u1"] == 1


def test_without_ids_equal_rows_are_one_event():
    happened = events(("r1", "click", 1.0), ("r1", "click", 1.0), ("r1", "click", 1.0), item_id=["a", "a", "b"])
    assert column(joined(happened=happened), "count:click")["u1"] == 2


def test_events_of_no_recommendation_are_told():
    result = joined(happened=events(("r9", "click", 1.0), ("r1", "click", 1.0)))
    assert (result.counts.unknown_recommendation, result.counts.counted) == (1, 1)


def test_events_of_items_that_were_not_in_the_list_do_not_count():
    shown = SHOWN.assign(item_ids=[["a", "b"], ["a"], ["c", "c"]])
    happened = events(("r1", "click", 1.0), ("r1", "click", 1.0), ("r3", "click", 31.0), item_id=["b", "c", "c"])
    result = joined(shown, happened)
    assert column(result, "count:click")["u1"] == 2
    assert result.counts.other_item == 1


def test_values_are_added_up():
    happened = events(("r1", "buy", 1.0), ("r3", "buy", 31.0), ("r2", "buy", 2.0), value=[2.5, 4.0, None])
    assert column(joined(happened=happened), "value:buy") == {"u1": 6.5, "u2": 0.0}


def test_units_that_saw_two_variants_are_left_out():
    shown = exposures(("r1", "u1", "control", 0.0), ("r2", "u1", "b", 1.0), ("r3", "u2", "b", 1.0))
    result = joined(shown)
    assert result.units["unit_id"].tolist() == ["u2"]
    assert result.counts.crossed_units == 1


def test_units_whose_variant_was_set_by_hand_are_left_out():
    result = joined(SHOWN.assign(overridden=[False, True, False]))
    assert result.units["unit_id"].tolist() == ["u1"]
    assert result.counts.overridden_units == 1


def test_arrow_tables_and_dates_give_the_same():
    happened = events(("r1", "click", 1.0), ("r2", "click", 3.0))
    dated = SHOWN.assign(shown_at=pd.to_datetime(SHOWN["shown_at"], unit="s", utc=True))
    clicks = happened.assign(occurred_at=pd.to_datetime(happened["occurred_at"], unit="s"))
    expected = joined(happened=happened)
    found = joined(pa.Table.from_pandas(dated), pa.Table.from_pandas(clicks))
    pd.testing.assert_frame_equal(found.units, expected.units)
    assert found.counts == expected.counts


def test_what_is_later_than_the_look_is_not_known():
    assert joined(as_of=-1.0).counts.exposures == 0


@pytest.mark.parametrize(
    ("shown", "happened", "message"),
    [
        (SHOWN.drop(columns="variant"), None, "exposures need the columns .*; variant are missing"),
        (SHOWN, events().drop(columns="event"), "events need the columns .*; event are missing"),
        ([1], None, "must be a table of pandas or Arrow; list came"),
        (SHOWN.assign(variant="c"), None, r"must have its variants, control, b; \['c'\] came as well"),
        (SHOWN.assign(recommendation_id="r"), None, "'r' came with several"),
        (SHOWN.assign(shown_at="today"), None, "exposures.shown_at must be dates, or seconds since 1970"),
        (SHOWN.assign(unit_id=["u1", None, "u2"]), None, "need a value in each row of unit_id"),
        (SHOWN, events(("r1", "click", 1.0), value=["much"]), "events.value must be numbers"),
    ],
    ids=["exposures", "events", "no-table", "variant", "ids", "time", "empty", "value"],
)
def test_wrong_tables_are_refused(shown, happened, message):
    with pytest.raises(ExperimentError, match=message):
        joined(shown, happened)
