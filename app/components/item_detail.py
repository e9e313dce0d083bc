"""One item: all that is known of it, and what is like it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.components.card import card_html
from app.components.picture import load_pictures, picture_html
from app.components.states import show_empty
from app.components.tables import show_table
from app.components.text import first_category, heading_of, plain, value_text
from app.service.connection import service

#: Similar items of each kind.
NUM_SIMILAR = 8


def show_item(item: Mapping[str, Any], catalogue: Mapping[str, Any]) -> None:
    """Draw an item.

    Args:
        item: of the service.
        catalogue: of the service.
    """
    columns: Sequence[Mapping[str, Any]] = catalogue["columns"]
    title = item["title"] or item["item_id"]
    values = values_by_column(item, columns)
    picture, words = st.columns([1, 1.6], gap="medium")
    with picture:
        load_pictures([title])
        st.html(picture_html(title, first_category(values, columns)))
    with words:
        st.header(plain(title), anchor=False)
        if not item["available"]:
            st.warning("It is not available: no list has it.", icon=":material/visibility_off:")
        show_table(properties_table(item, values), "properties", has_head=False)


def values_by_column(item: Mapping[str, Any], columns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The properties of an item; several values that stand in one text are a list, as lists have them."""
    values = dict(item["properties"])
    for column in columns:
        value = values.get(column["name"])
        if column["multiple"] and isinstance(value, str):
            known = {one["value"] for one in column["values"]}
            separator = next((sign for sign in "|;," if all(part in known for part in _split(value, sign))), None)
            values[column["name"]] = [value] if separator is None else _split(value, separator)
    return values


def properties_table(item: Mapping[str, Any], values: Mapping[str, Any]) -> pd.DataFrame:
    """The properties as a table, with the id."""
    rows = [[heading_of(name), value_text(value) or "–"] for name, value in values.items()]
    return pd.DataFrame([["Id", item["item_id"]], *rows], columns=["Column", "Value"])


def show_similar(item_id: str, by: str, catalogue: Mapping[str, Any]) -> None:
    """Draw the items that are most like one.

    Args:
        item_id: the one.
        by: ``model``: by what users did; ``content``: by the columns.
        catalogue: of the service.
    """
    columns: Sequence[Mapping[str, Any]] = catalogue["columns"]
    answer = service().similar(item_id, by, NUM_SIMILAR, [column["name"] for column in columns])
    if not answer["items"]:
        show_empty(f"None: {answer['measure']}.")
        return
    with st.container(key=f"similar-{by}"):
        for item in answer["items"]:
            with st.container(border=True, key=f"similar {by} {item['item_id']}", gap="xsmall"):
                st.html(card_html(item, columns, answer["items"][0]["score"]))
                st.button(
                    "Open",
                    key=f"open {by} {item['item_id']}",
                    type="tertiary",
                    help=f"All about {plain(item['title'])}",
                    on_click=_open,
                    args=(item["item_id"],),
                )
    st.caption(f"Measured by {answer['measure']}.")


def _split(text: str, sign: str) -> list[str]:
    return [part.strip() for part in text.split(sign) if part.strip()]


def _open(item_id: str) -> None:
    st.query_params["item"] = item_id
