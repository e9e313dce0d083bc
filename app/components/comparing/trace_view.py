"""The way of one request to its list, stage by stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from app.components.comparing.trace_numbers import candidates_table, funnel_table, stages_table
from app.components.row_names import ROW_PIXELS, names_axis, two_lines
from app.components.states import show_empty
from app.components.tables import show_as_table, show_rows, show_table
from app.components.text import plain

#: Height of the axis, its title and a legend.
_AXIS_PIXELS = 110


def show_trace(answer: Mapping[str, Any], key: str) -> None:
    """Draw and table the way to a list.

    Args:
        answer: of the service, with its trace.
        key: tells it from another one of the page.
    """
    trace = answer["trace"]
    ranker = f", ordered by {plain(trace['ranker'])}" if trace["ranker"] else ""
    st.caption(f"Bundle {plain(answer['bundle'])} · found by {plain(trace['retriever'])}{ranker} · made anew, no cache")
    st.header("Candidates", anchor=False)
    funnel = funnel_table(trace, len(answer["items"]))
    st.altair_chart(_funnel_chart(funnel), width="stretch")
    show_table(funnel, f"funnel-{key}")
    st.header("Time", anchor=False)
    stages = stages_table(trace)
    total = stages.loc[stages["Part of"] == "service", "Milliseconds"].sum()
    st.caption(f"{total:.1f} ms in the service; the stages of the model are parts of asking it.")
    st.altair_chart(_stages_chart(stages), width="stretch")
    show_as_table(stages.assign(Milliseconds=stages["Milliseconds"].map("{:.2f}".format)), f"stages-{key}")
    st.header("What became of each candidate", anchor=False)
    if not trace["candidates"]:
        show_empty("No candidate was found.")
        return
    columns: dict[str, Any] = {
        name: st.column_config.NumberColumn(format="%.4g", width="small") for name in ("Score", "Ranker's score")
    }
    columns["Found"] = st.column_config.NumberColumn(width=60)
    show_rows(candidates_table(trace), f"candidates-{key}", columns)
    if trace["num_left_out"]:
        st.caption(f"{trace['num_left_out']:,} further candidates are not shown.")


def _funnel_chart(table: pd.DataFrame) -> alt.Chart:
    return _bars(table, "Step", "Left", "candidates that are left")


def _stages_chart(table: pd.DataFrame) -> alt.Chart:
    return _bars(table, "Stage", "Milliseconds", "milliseconds", color="Part of")


def _bars(table: pd.DataFrame, name: str, value: str, title: str, color: str | None = None) -> alt.Chart:
    encoded: dict[str, Any] = {
        "y": alt.Y("Label:N", sort=None, title=None, axis=names_axis()),
        "x": alt.X(f"{value}:Q", title=title, axis=alt.Axis(tickCount=6)),
        "tooltip": list(table.columns),
    }
    if color is not None:
        encoded["color"] = alt.Color(f"{color}:N", legend=alt.Legend(orient="top", title=None))
    return (
        alt.Chart(table.assign(Label=two_lines(table[name])))
        .mark_bar(height=14)
        .encode(**encoded)
        .properties(height=ROW_PIXELS * len(table) + _AXIS_PIXELS)
    )
