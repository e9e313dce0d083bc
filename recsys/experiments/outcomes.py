"""Joins what users did to the lists that they were shown: one row for each unit, each event counted exactly once.

A unit is analysed when its outcome is final: recommendations count that it got within ``exposure_window_hours`` of its
first one, events count that name one of these recommendations and came within ``attribution_window_hours`` of it, and a
unit whose windows are not over yet is left out. So all units have had the same time, and the row of a unit does not
change from look to look, which is what confidence sequences ask for.

Columns of exposures: ``recommendation_id``, ``unit_id``, ``variant``, ``shown_at``; and where they are there
``overridden`` (such units are left out) and ``item_ids`` (events with another ``item_id`` do not count). Columns of
events: ``recommendation_id``, ``event``, ``occurred_at``; and where they are there ``event_id`` (events with one id are
one event; without the column, equal rows are), ``item_id`` and ``value``. Times are dates, or seconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from recsys.errors import ExperimentError
from recsys.experiments.experiment import Experiment
from recsys.experiments.metric import EXPOSURES

RECOMMENDATION_ID, UNIT_ID, VARIANT, SHOWN_AT = "recommendation_id", "unit_id", "variant", "shown_at"
EVENT, OCCURRED_AT, EVENT_ID, ITEM_ID, VALUE = "event", "occurred_at", "event_id", "item_id", "value"
OVERRIDDEN, ITEM_IDS, FIRST_SHOWN_AT = "overridden", "item_ids", "first_shown_at"

_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class JoinCounts:
    """What became of the rows.

    Args:
        exposures: rows of exposures.
        repeated_exposures: that came again.
        overridden_units: left out, since their variant was set by hand.
        crossed_units: left out, since they saw two variants, which is a fault of the assignment.
        unfinished_units: left out for now, since their windows are not over.
        events: rows of events.
        repeated_events: that came again.
        unknown_recommendation: events that name no recommendation of the experiment.
        other_item: events of an item that was not in the list.
        early: events before their recommendation, which is a fault of a clock.
        late: events after the attribution window.
        counted: events that count, of the units that are analysed.
    """

    exposures: int = 0
    repeated_exposures: int = 0
    overridden_units: int = 0
    crossed_units: int = 0
    unfinished_units: int = 0
    events: int = 0
    repeated_events: int = 0
    unknown_recommendation: int = 0
    other_item: int = 0
    early: int = 0
    late: int = 0
    counted: int = 0


@dataclass(frozen=True, slots=True)
class JoinedOutcomes:
    """What each unit of an experiment did.

    Args:
        units: a row for each unit whose outcome is final, ordered by when it is: ``unit_id``, ``variant``,
            ``first_shown_at`` in seconds, ``exposures``, and for each type of event its number, ``count:click`` say,
            and the sum of its values, ``value:click``.
        counts: what became of the rows.
    """

    units: pd.DataFrame
    counts: JoinCounts


def count_column(event: str) -> str:
    """Column of the number of events of a type."""
    return f"count:{event}"


def value_column(event: str) -> str:
    """Column of the sum of the values of events of a type."""
    return f"value:{event}"


def join_outcomes(exposures: Any, events: Any, experiment: Experiment, as_of: float) -> JoinedOutcomes:
    """Join the events to the exposures of an experiment.

    Args:
        exposures: a table of pandas or Arrow; its rows are of this experiment alone.
        events: a table of pandas or Arrow.
        experiment: of which the windows, the variants and the metrics count.
        as_of: what is later is not known yet; seconds since 1970.

    Raises:
        ExperimentError: a column is missing or of a wrong type, a variant is unknown, or one recommendation id belongs
            to different units or variants.
    """
    shown = _exposures(exposures, experiment)
    shown = shown[shown[SHOWN_AT] <= as_of]
    happened = _events(events)
    happened = happened[happened[OCCURRED_AT] <= as_of]
    tally = {"exposures": len(shown), "events": len(happened)}
    shown = _once(shown, [RECOMMENDATION_ID], SHOWN_AT, "repeated_exposures", tally)
    keys = [EVENT_ID] if EVENT_ID in happened else list(happened.columns)
    happened = _once(happened, keys, OCCURRED_AT, "repeated_events", tally)
    analysed, all_shown = _analysed(shown, experiment, as_of, tally), shown
    attributed = _attributed(happened, all_shown, experiment, tally)
    attributed = attributed[attributed[RECOMMENDATION_ID].isin(analysed[RECOMMENDATION_ID])]
    tally["counted"] = len(attributed)
    return JoinedOutcomes(_units(analysed, attributed, experiment), JoinCounts(**tally))


def _exposures(table: Any, experiment: Experiment) -> pd.DataFrame:
    frame = _frame("exposures", table, [RECOMMENDATION_ID, UNIT_ID, VARIANT, SHOWN_AT], [OVERRIDDEN, ITEM_IDS])
    frame[SHOWN_AT] = _seconds(f"exposures.{SHOWN_AT}", frame[SHOWN_AT])
    unknown = sorted(set(frame[VARIANT]) - set(experiment.shares), key=str)
    if unknown:
        raise ExperimentError(
            f"exposures of experiment {experiment.id!r} must have its variants, {', '.join(experiment.shares)}; "
            f"{unknown} came as well: pass those of this experiment alone"
        )
    owners = frame.groupby(RECOMMENDATION_ID)[[UNIT_ID, VARIANT]].nunique().gt(1).any(axis=1)
    if owners.any():
        raise ExperimentError(
            f"a recommendation belongs to one unit and one variant; {owners.idxmax()!r} came with several: give each "
            "list an id of its own"
        )
    return frame


def _events(table: Any) -> pd.DataFrame:
    frame = _frame("events", table, [RECOMMENDATION_ID, EVENT, OCCURRED_AT], [EVENT_ID, ITEM_ID, VALUE])
    frame[OCCURRED_AT] = _seconds(f"events.{OCCURRED_AT}", frame[OCCURRED_AT])
    if VALUE in frame and not pd.api.types.is_numeric_dtype(frame[VALUE]):
        raise ExperimentError(f"events.{VALUE} must be numbers; it has {frame[VALUE].dtype}")
    return frame


def _frame(what: str, table: Any, required: list[str], optional: list[str]) -> pd.DataFrame:
    frame = table.to_pandas() if hasattr(table, "to_pandas") else table
    if not isinstance(frame, pd.DataFrame):
        raise ExperimentError(f"{what} must be a table of pandas or Arrow; {type(table).__name__} came")
    missing = [name for name in required if name not in frame]
    if missing:
        raise ExperimentError(f"{what} need the columns {', '.join(required)}; {', '.join(missing)} are missing")
    frame = frame[[name for name in [*required, *optional] if name in frame]].copy()
    empty = frame[required].isna().any()
    if empty.any():
        raise ExperimentError(f"{what} need a value in each row of {', '.join(empty[empty].index)}; some have none")
    return frame


def _seconds(what: str, times: pd.Series) -> pd.Series:
    if times.empty:
        return times.astype("float64")
    if pd.api.types.is_datetime64_any_dtype(times):
        epoch = pd.Timestamp(0, tz="UTC")
        return (pd.to_datetime(times, utc=True) - epoch).dt.total_seconds()
    if not pd.api.types.is_numeric_dtype(times) or pd.api.types.is_bool_dtype(times):
        raise ExperimentError(f"{what} must be dates, or seconds since 1970; it has {times.dtype}")
    return times.astype("float64")


def _once(frame: pd.DataFrame, keys: list[str], time: str, name: str, tally: dict[str, int]) -> pd.DataFrame:
    """The first row of each key."""
    first = frame.sort_values(time, kind="stable").drop_duplicates(keys)
    tally[name] = len(frame) - len(first)
    return first


def _analysed(shown: pd.DataFrame, experiment: Experiment, as_of: float, tally: dict[str, int]) -> pd.DataFrame:
    """Exposures within their window, of units that are analysed; with the time of the unit's first one."""
    by_unit = shown.groupby(UNIT_ID)
    first = by_unit[SHOWN_AT].transform("min")
    crossed = by_unit[VARIANT].transform("nunique") > 1
    by_hand = by_unit[OVERRIDDEN].transform("max").astype(bool) if OVERRIDDEN in shown else crossed & False
    window = experiment.exposure_window_hours * _HOUR
    final_at = first + window + experiment.attribution_window_hours * _HOUR
    unfinished = final_at > as_of
    tally["overridden_units"] = shown.loc[by_hand, UNIT_ID].nunique()
    tally["crossed_units"] = shown.loc[crossed & ~by_hand, UNIT_ID].nunique()
    tally["unfinished_units"] = shown.loc[unfinished & ~crossed & ~by_hand, UNIT_ID].nunique()
    inside = shown[SHOWN_AT] <= first + window
    kept = inside & ~crossed & ~by_hand & ~unfinished
    return shown.assign(**{FIRST_SHOWN_AT: first})[kept]


def _attributed(
    happened: pd.DataFrame, shown: pd.DataFrame, experiment: Experiment, tally: dict[str, int]
) -> pd.DataFrame:
    """Events with the unit of their recommendation, within the attribution window."""
    joined = happened.merge(shown[[RECOMMENDATION_ID, UNIT_ID, SHOWN_AT]], on=RECOMMENDATION_ID, validate="m:1")
    tally["unknown_recommendation"] = len(happened) - len(joined)
    if ITEM_IDS in shown and ITEM_ID in joined:
        listed = shown[[RECOMMENDATION_ID, ITEM_IDS]].explode(ITEM_IDS).rename(columns={ITEM_IDS: ITEM_ID})
        in_list = joined.merge(listed.drop_duplicates(), on=[RECOMMENDATION_ID, ITEM_ID])
        tally["other_item"], joined = len(joined) - len(in_list), in_list
    delay = joined[OCCURRED_AT] - joined[SHOWN_AT]
    window = experiment.attribution_window_hours * _HOUR
    tally["early"], tally["late"] = int((delay < 0).sum()), int((delay > window).sum())
    return joined[(delay >= 0) & (delay <= window)]


def _units(analysed: pd.DataFrame, attributed: pd.DataFrame, experiment: Experiment) -> pd.DataFrame:
    units = analysed.groupby(UNIT_ID).agg(
        **{VARIANT: (VARIANT, "first"), FIRST_SHOWN_AT: (FIRST_SHOWN_AT, "first"), EXPOSURES: (UNIT_ID, "size")}
    )
    named = [metric.event for metric in experiment.metrics]
    named += [one.denominator for one in experiment.metrics if one.denominator not in (None, EXPOSURES)]
    for event in sorted({*named, *attributed[EVENT]}, key=str):
        rows = attributed[attributed[EVENT] == event].groupby(UNIT_ID)
        units[count_column(event)] = rows.size().reindex(units.index, fill_value=0)
        values = rows[VALUE].sum() if VALUE in attributed else rows.size() * 0.0
        units[value_column(event)] = values.reindex(units.index, fill_value=0.0).astype("float64")
    return units.reset_index().sort_values([FIRST_SHOWN_AT, UNIT_ID], kind="stable", ignore_index=True)
