"""Finds an item by its title while it is typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from st_keyup import st_keyup

from app.components.card import row_html
from app.components.states import show_empty
from app.components.text import plain
from app.service.connection import service

#: Milliseconds without a key after which it is searched, and matches that are shown.
_DEBOUNCE_MS, NUM_SHOWN = 150, 8
#: Longest text that the service takes.
_MAX_TEXT = 200


def show_item_search(catalogue: Mapping[str, Any]) -> None:
    """Draw the field and what was found; a choice goes into the address as ``item``.

    Args:
        catalogue: of the service.
    """
    typed = st_keyup(
        "Search by title",
        debounce=_DEBOUNCE_MS,
        key="item search",
        placeholder="Title or id; a misspelt one is found as well",
    )
    text = (typed or "").strip()[:_MAX_TEXT]
    if not text:
        return
    columns = catalogue["columns"]
    found = service().search(text, NUM_SHOWN, [column["name"] for column in columns])
    if not found["items"]:
        show_empty(f"Nothing is like {plain(text)}.")
        return
    st.caption(f"{found['total']:,} found" + (f", the best {NUM_SHOWN}" if found["total"] > NUM_SHOWN else ""))
    with st.container(key="matches"):
        for item in found["items"]:
            with st.container(
                key=f"match {item['item_id']}", border=True, horizontal=True, vertical_alignment="center", gap="small"
            ):
                st.html(row_html(item, columns), width="stretch")
                title = item["title"] or item["item_id"]
                st.button(
                    "Open",
                    key=f"choose {item['item_id']}",
                    help=f"All about {plain(title)}",
                    on_click=_choose,
                    args=(item["item_id"],),
                )


def _choose(item_id: str) -> None:
    st.query_params["item"] = item_id
