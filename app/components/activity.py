"""What users do with an item over time, in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from app.components.states import show_empty
from app.components.tables import show_table
from app.service.connection import service

#: Bars of a chart, at most; longer periods are taken where there would be more.
_MAX_BARS = 60
_DAYS = {"day": 1, "week": 7, "month": 31, "year": 366}
_OFFSETS = {
    "day": pd.DateOffset(days=1),
    "week": pd.DateOffset(weeks=1),
    "month": pd.DateOffset(months=1),
    "year": pd.DateOffset(years=1),
}


def show_activity(item_id: str) -> None:
    """Draw and table the interactions with an item by type.

    Args:
        item_id: of the item.
    """
    by_day = service().activity(item_id, "day")
    if not by_day:
        show_empty("Nobody has done anything with it yet.")
        return
    per = period_for(by_day)
    periods = by_day if per == "day" else service().activity(item_id, per)
    table = activity_table(periods)
    total = int(table["Interactions"].sum())
    st.caption(f"{total:,} interactions, per {per}. Who they are from is not told.")
    st.altair_chart(_chart(table, per), width="stretch")
    with st.expander("As a table"):
        means = ["–" if pd.isna(value) else f"{value:.2f}" for value in table["Mean value"]]
        show_table(table.assign(**{"Mean value": means}), "activity")


def period_for(by_day: Sequence[Mapping[str, Any]]) -> str:
    """The shortest period that gives few enough bars, from the counts of days."""
    days = [date.fromisoformat(one["start"]) for one in by_day]
    span = (max(days) - min(days)).days + 1
    return next((per for per, length in _DAYS.items() if span / length <= _MAX_BARS), "year")


def activity_table(periods: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The counts as a table, the earliest first."""
    rows = [[one["start"], one["type"], one["num_interactions"], one["mean_value"]] for one in periods]
    return pd.DataFrame(rows, columns=["From", "Type", "Interactions", "Mean value"])


def with_bar_ends(table: pd.DataFrame) -> pd.DataFrame:
    """The counts with where the bar of each begins and ends: types of one period stand on each other."""
    top = table.groupby("From", sort=False)["Interactions"].cumsum()
    return table.assign(Bottom=top - table["Interactions"], Top=top)


def _chart(table: pd.DataFrame, per: str) -> alt.Chart:
    starts = pd.to_datetime(table["From"])
    shown = with_bar_ends(table).assign(From=starts, End=starts + _OFFSETS[per])
    return (
        alt.Chart(shown)
        .mark_rect()
        .encode(
            x=alt.X("From:T", title=None),
            x2="End:T",
            y=alt.Y("Bottom:Q", title="Interactions"),
            y2="Top:Q",
            color=alt.Color("Type:N", legend=alt.Legend(orient="top", title=None)),
            tooltip=[alt.Tooltip("From:T", title="From"), "Type:N", "Interactions:Q", "Mean value:Q"],
        )
        .properties(height=260)
    )
