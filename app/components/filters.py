"""Filters for any catalogue: built from the kinds of its own columns."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.components.text import heading_of

_PREFIX = "filter "


def show_filters(columns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Draw a filter for each column that has one.

    Args:
        columns: of the catalogue.

    Returns:
        The filters that are set, as requests have them; empty where none is.
    """
    chosen = {column["name"]: _draw(column) for column in columns if is_filterable(column)}
    filters = {
        column["name"]: condition
        for column in columns
        if (condition := condition_of(column, chosen.get(column["name"]))) is not None
    }
    if filters:
        names = [name for name in st.session_state if str(name).startswith(_PREFIX)]
        st.button("Clear filters", icon=":material/filter_alt_off:", on_click=_clear, args=(names,))
    return filters


def is_filterable(column: Mapping[str, Any]) -> bool:
    """Whether there is anything to choose from."""
    if column["kind"] in ("category", "boolean"):
        # One value that all items have filters nothing, as where lists keep to what is in stock.
        return len(column["values"]) > (0 if column["num_missing"] else 1)
    return column["kind"] in ("number", "date") and column["minimum"] is not None and _low(column) != _high(column)


def condition_of(column: Mapping[str, Any], chosen: Any) -> dict[str, Any] | None:
    """What a choice asks for, as requests have it; None where it asks for nothing.

    Args:
        column: of the catalogue.
        chosen: the values, the two ends, or ``yes`` or ``no``.
    """
    if not chosen:
        return None
    if column["kind"] == "category":
        return {"any_of": list(chosen)}
    if column["kind"] == "boolean":
        return {"any_of": [chosen == "yes"]}
    condition: dict[str, Any] = {}
    low, high = chosen
    if low > _low(column):
        condition["gte"] = _end(low)
    if high < _high(column):
        condition["lte"] = _end(high)
    return condition or None


def _draw(column: Mapping[str, Any]) -> Any:
    name, key = heading_of(column["name"]), _PREFIX + column["name"]
    missing = f"{column['num_missing']:,} items have no value here; a filter leaves them out."
    note = missing if column["num_missing"] else None
    if column["kind"] == "category":
        counts = {one["value"]: one["num_items"] for one in column["values"]}
        return st.multiselect(
            name,
            list(counts),
            format_func=lambda value: f"{value} ({counts.get(value, 0):,})",
            placeholder="Any",
            key=key,
            help=note,
            persist_state="session",
        )
    if column["kind"] == "boolean":
        return st.segmented_control(name, ["yes", "no"], key=key, help=note, persist_state="session")
    low, high = _low(column), _high(column)
    step: Any = 1 if isinstance(low, int) else None
    form = "%d" if isinstance(low, int) else None
    return st.slider(name, low, high, (low, high), step, form, key=key, help=note, persist_state="session")


def _low(column: Mapping[str, Any]) -> Any:
    return _number_or_day(column, column["minimum"])


def _high(column: Mapping[str, Any]) -> Any:
    return _number_or_day(column, column["maximum"])


def _number_or_day(column: Mapping[str, Any], end: Any) -> Any:
    if column["kind"] == "date":
        return datetime.date.fromisoformat(end)
    return int(end) if column["whole"] else float(end)


def _end(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime.date) else value


def _clear(names: Sequence[str]) -> None:
    for name in names:
        st.session_state.pop(name, None)
