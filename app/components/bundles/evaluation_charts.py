"""What bundles were measured at, drawn; each chart with its table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import altair as alt
import pandas as pd
import streamlit as st

from app.components.bundles.evaluations import (
    Evaluation,
    curve_choices,
    curves_table,
    measured_table,
    metric_choices,
    segment_choices,
    segments_table,
    trade_off_table,
)
from app.components.states import show_empty
from app.components.tables import interval_text, number_text, show_as_table
from app.components.text import heading_of

ChoiceT = TypeVar("ChoiceT")

#: Height of a row of a chart.
_ROW_PIXELS = 40
_MODEL_AXIS = alt.Axis(labelLimit=220, labelOverlap=False)
#: Of intervals, on a light page and on a dark one.
_LINE = "#3b82f6"


def show_accuracy(evaluations: Sequence[Evaluation]) -> None:
    """Draw a metric of each model with its interval, and beside what its lists cover of the catalogue."""
    nothing = "No bundle says how it was measured: its run had nothing held out."
    name = _choose("Metric", metric_choices(evaluations), nothing)
    if name is None:
        return
    measured = measured_table(evaluations, name)
    st.altair_chart(_intervals(measured, name), width="stretch")
    st.caption("Dot and line: mean of the test users and its 95 % interval. Tick: what is popular, for the same users.")
    told = pd.DataFrame(
        {
            "Model": measured["Model"],
            f"{name}, 95 % interval": [
                interval_text(*row) for row in measured[["Value", "Low", "High"]].itertuples(index=False)
            ],
            "What is popular": [number_text(value, 3) for value in measured["Popular"]],
        }
    )
    show_as_table(told, "accuracy")
    trade_off = trade_off_table(evaluations, name)
    st.header("Accuracy against coverage", anchor=False)
    if trade_off.empty:
        show_empty("No bundle says what its lists cover of the catalogue.")
        return
    st.altair_chart(_trade_off(trade_off, name), width="stretch")
    st.caption("Coverage: share of the catalogue that is in the list of any test user. Further up and right is better.")
    told = trade_off.assign(
        Coverage=trade_off["Coverage"].map("{:.1%}".format), Accuracy=trade_off["Accuracy"].map("{:.3f}".format)
    )
    show_as_table(told.rename(columns={"Accuracy": name}), "trade-off")


def show_segments(evaluations: Sequence[Evaluation]) -> None:
    """Draw how each model does for parts of the users and of the items."""
    nothing = "No bundle says how it does for parts of the users or items."
    chosen = _choose("Parts", segment_choices(evaluations), nothing, lambda one: f"{heading_of(one[0])} · {one[1]}")
    if chosen is None:
        return
    segment, name = chosen
    table = segments_table(evaluations, segment, name)
    st.altair_chart(_groups(table, name), width="stretch")
    wide = table.pivot(index="Model", columns="Part", values="Value")[list(dict.fromkeys(table["Part"]))]
    show_as_table(wide.map(lambda value: number_text(value, 3)).reset_index(), "segments")


def show_learning_curves(evaluations: Sequence[Evaluation]) -> None:
    """Draw what was measured after each epoch."""
    nothing = "No model of these bundles was trained by epochs, or they were exported before curves were kept."
    name = _choose("Curve of", curve_choices(evaluations), nothing)
    if name is None:
        return
    table = curves_table(evaluations, name)
    st.altair_chart(_curves(table, name), width="stretch")
    show_as_table(table.assign(Value=table["Value"].map("{:.4f}".format)), "curves")


def _choose(
    label: str, choices: Sequence[ChoiceT], nothing: str, words: Callable[[ChoiceT], str] = str
) -> ChoiceT | None:
    """What is drawn, of all that may be; where that is nothing, it is said why."""
    if not choices:
        show_empty(nothing)
        return None
    return st.selectbox(label, choices, format_func=words, key=f"drawn {label}", width=320)


def _legend() -> alt.Legend:
    return alt.Legend(orient="top", title=None, columns=2, labelLimit=160)


def _intervals(table: pd.DataFrame, name: str) -> alt.LayerChart | alt.FacetChart:
    base = alt.Chart(table).encode(y=alt.Y("Model:N", sort=None, title=None, axis=_MODEL_AXIS))
    told = [alt.Tooltip(column) for column in table.columns]
    lines = base.mark_rule(strokeWidth=3, color=_LINE).encode(
        x=alt.X("Low:Q", title=name, axis=alt.Axis(tickCount=8)), x2="High:Q"
    )
    dots = base.mark_point(filled=True, size=110, opacity=1, color=_LINE).encode(x="Value:Q", tooltip=told)
    ticks = base.mark_tick(thickness=3, size=18, color="#e07b00").encode(x="Popular:Q", tooltip=told)
    # A mark of which no row has a value would be drawn at infinity, and Vega says so in the console.
    drawn = [
        mark for mark, column in ((lines, "Low"), (ticks, "Popular"), (dots, "Value")) if table[column].notna().any()
    ]
    return alt.layer(*drawn).properties(height=_ROW_PIXELS * len(table) + 70)


def _trade_off(table: pd.DataFrame, name: str) -> alt.Chart:
    base = alt.Chart(table).encode(
        x=alt.X("Coverage:Q", axis=alt.Axis(format=".0%", tickCount=6), scale=alt.Scale(zero=False, padding=30)),
        y=alt.Y("Accuracy:Q", title=name, scale=alt.Scale(zero=False, padding=30)),
        tooltip=["Model", alt.Tooltip("Coverage", format=".1%"), alt.Tooltip("Accuracy", format=".4f", title=name)],
    )
    dots = base.mark_point(filled=True, size=140, opacity=1).encode(color=alt.Color("Model:N", legend=_legend()))
    return dots.properties(height=380)


def _groups(table: pd.DataFrame, name: str) -> alt.Chart:
    return (
        alt.Chart(table)
        .mark_bar()
        .encode(
            x=alt.X("Part:N", sort=None, title=None, axis=alt.Axis(labelAngle=0)),
            xOffset=alt.XOffset("Model:N", sort=None),
            y=alt.Y("Value:Q", title=name),
            color=alt.Color("Model:N", sort=None, legend=_legend()),
            tooltip=["Model", "Part", alt.Tooltip("Value", format=".4f")],
        )
        .properties(height=380)
    )


def _curves(table: pd.DataFrame, name: str) -> alt.Chart:
    return (
        alt.Chart(table)
        .mark_line(point=True)
        .encode(
            x=alt.X("Epoch:Q", axis=alt.Axis(tickMinStep=1, format="d")),
            y=alt.Y("Value:Q", title=name, scale=alt.Scale(zero=False)),
            color=alt.Color("Model:N", legend=_legend()),
            tooltip=["Model", "Epoch", alt.Tooltip("Value", format=".4f")],
        )
        .properties(height=380)
    )
