"""The items of a bundle on a plane: which ones its model takes for alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from app.components.states import show_empty
from app.components.tables import show_rows
from app.components.text import heading_of, plain
from app.service.connection import item_map

#: Items of a map, and values that have a colour of their own.
NUM_ITEMS, NUM_COLOURS = 500, 7
OTHERS = "others"
#: Of the points without a colour of their own; it is seen on white and on black.
_GREY = "#8b8b95"


def show_item_map(bundle: str) -> None:
    """Draw and table the map of a bundle."""
    found = item_map(bundle, NUM_ITEMS)
    if not found["items"]:
        show_empty(f"There is no map of {plain(bundle)}: {found['note'] or 'it has no items'}")
        return
    table = map_table(found["items"])
    shares = " and ".join(f"{share:.0%}" for share in found["explained"])
    st.caption(
        f"The {len(table):,} items with the most interactions. The axes are principal components of its vectors, "
        f"with {shares} of their variance: what lies close together is alike to the model."
    )
    column = heading_of(found["column"] or "category")
    st.altair_chart(_chart(table, column), width="stretch")
    with st.expander("As a table"):
        numbers = {name: st.column_config.NumberColumn(format="%.3f") for name in ("x", "y")}
        show_rows(table.drop(columns="Colour").rename(columns={"Categories": column}), f"map-{bundle}", numbers)


def map_table(items: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The items with their places, and the value by which each has its colour: the first frequent one."""
    counts = Counter(value for item in items for value in item["categories"])
    frequent = [value for value, _ in counts.most_common(NUM_COLOURS)]
    rows = [
        [
            item["title"],
            ", ".join(item["categories"]),
            next((value for value in item["categories"] if value in frequent), OTHERS),
            item["num_interactions"],
            item["x"],
            item["y"],
        ]
        for item in items
    ]
    return pd.DataFrame(rows, columns=["Item", "Categories", "Colour", "Interactions", "x", "y"])


def _chart(table: pd.DataFrame, column: str) -> alt.LayerChart:
    empty, within = alt.Axis(labels=False, ticks=False), alt.Scale(zero=False, padding=15)
    own = table["Colour"] != OTHERS
    frequent = [value for value, _ in Counter(table["Colour"][own]).most_common()]
    colour = alt.Color(
        "Colour:N",
        sort=frequent,
        title=column if own.all() else f"{column} (grey: {OTHERS})",
        legend=alt.Legend(orient="top", columns=4, labelLimit=90, titleLimit=0),
    )

    def points(part: pd.DataFrame, colour: alt.Color | alt.ColorValue) -> alt.Chart:
        return (
            alt.Chart(part)
            .mark_circle(opacity=0.75)
            .encode(
                x=alt.X("x:Q", title="first component", axis=empty, scale=within),
                y=alt.Y("y:Q", title="second component", axis=empty, scale=within),
                size=alt.Size("Interactions:Q", legend=None, scale=alt.Scale(range=[25, 320])),
                color=colour,
                tooltip=["Item", alt.Tooltip("Categories", title=column), "Interactions"],
            )
        )

    layers = [points(table[~own], alt.ColorValue(_GREY)), points(table[own], colour)]
    return alt.LayerChart(layer=layers).properties(height=560).interactive()
