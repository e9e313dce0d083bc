"""Tables, as every chart has one: they wrap on a narrow page instead of being cut off."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from app.components.text import plain

#: Stands where there is no value.
NOTHING = "–"


def show_table(table: pd.DataFrame, key: str, has_head: bool = True) -> None:
    """Draw a table whole.

    Args:
        table: its texts are shown as they are, without Markdown.
        key: tells it from others of the page.
        has_head: whether its columns have names that are shown.
    """
    written = table.map(lambda value: plain(value) if isinstance(value, str) else value)
    with st.container(key=f"table-{key}"):
        st.table(written, hide_index=True, hide_header=not has_head, border="horizontal")


def show_as_table(table: pd.DataFrame, key: str) -> None:
    """The table of a chart, which opens on demand."""
    with st.expander("As a table"):
        show_table(table, key)


def show_rows(table: pd.DataFrame, key: str, columns: Mapping[str, Any] | None = None) -> None:
    """A long table that scrolls, sorts and can be searched.

    Args:
        table: with a column for each that is shown.
        key: tells it from others of the page.
        columns: how columns are shown, as Streamlit has it.
    """
    st.dataframe(
        table, hide_index=True, width="stretch", column_config=dict(columns or {}), placeholder="", key=f"rows-{key}"
    )


def number_text(value: float | None, digits: int = 4) -> str:
    """A number in few signs."""
    return NOTHING if value is None or pd.isna(value) else f"{value:,.{digits}f}"


def interval_text(value: float | None, low: float | None, high: float | None, digits: int = 3) -> str:
    """A number with its interval."""
    if value is None or low is None or high is None:
        return number_text(value, digits)
    return f"{number_text(value, digits)} [{number_text(low, digits)}, {number_text(high, digits)}]"


def day_text(moment: str) -> str:
    """The day of a time of the service, such as ``31 Jan 2026``: its words wrap in a narrow column."""
    return f"{datetime.fromisoformat(moment):%d %b %Y}"


def moment_text(moment: str | None) -> str:
    """A time of the service, to the minute, as it is told: in UTC."""
    return NOTHING if not moment else moment[:16].replace("T", " ")
