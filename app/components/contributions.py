"""The parts of a score, drawn and tabled."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from app.components.card import score_text, share
from app.components.tables import show_table

#: What is smaller is rounding.
_NOTHING = 1e-9


class ScorePart(NamedTuple):
    """A part of a score.

    Args:
        name: of an item of the history, or of what else there is.
        value: what it adds; None where the model does not say.
        shared: what the item has in common with the recommended one.
        is_item: whether it is an item of the history.
    """

    name: str
    value: float | None
    shared: str
    is_item: bool


def parts_of(explanation: Mapping[str, Any]) -> list[ScorePart]:
    """All parts of an explanation, which add up to the score where the model splits it."""
    parts = [
        ScorePart(one["title"], one["value"], ", ".join(one["shared"]), True) for one in explanation["contributions"]
    ]
    if explanation["num_older"]:
        older = f"{explanation['num_older']:,} older items of your history"
        parts.append(ScorePart(older, explanation["older_value"], "", False))
    if explanation["rest"] is not None and abs(explanation["rest"]) > _NOTHING:
        parts.append(ScorePart("everything else in your history", explanation["rest"], "", False))
    if explanation["popularity"] is not None:
        parts.append(ScorePart(f"its popularity: {explanation['popularity']:,} interactions", None, "", False))
    return parts


def bars_html(parts: list[ScorePart]) -> str:
    """The parts that have a value, as bars; an empty text where none has."""
    valued = [(part, part.value) for part in parts if part.value is not None]
    largest = max((abs(value) for _, value in valued), default=0.0)
    kinds = {True: "rs-fill", False: "rs-fill rs-rest"}
    rows = [
        f'<li><div class="rs-bar-name"><span>{html.escape(part.name)}</span><span class="rs-number">'
        f'{score_text(value)}</span></div><div class="rs-track"><div class="{kinds[part.is_item]}"'
        f' style="width: {share(abs(value), largest):.0f}%"></div></div></li>'
        for part, value in valued
    ]
    return f'<ul class="rs-bars">{"".join(rows)}</ul>' if rows else ""


def table_of(parts: list[ScorePart]) -> pd.DataFrame:
    """The parts as a table."""
    values = [[part.name, "" if part.value is None else f"{part.value:.4g}", part.shared or "–"] for part in parts]
    return pd.DataFrame(values, columns=["Because of", "Adds to the score", "In common"])


def show_contributions(item: Mapping[str, Any], method: str | None) -> None:
    """Draw and table why an item is in a list.

    Args:
        item: as lists have them.
        method: how the parts were computed, in a sentence.
    """
    explanation = item.get("explanation")
    if not explanation:
        st.write(" ".join(item.get("reasons") or ["Nothing is known about why it is here."]))
        return
    parts = parts_of(explanation)
    if bars := bars_html(parts):
        st.html(bars)
    show_table(table_of(parts), "contributions")
    if method:
        st.caption(method)
