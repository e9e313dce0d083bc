"""Find an item, and see what is known of it, what is like it and what users do with it."""

from __future__ import annotations

import streamlit as st

from app.components.activity import show_activity
from app.components.item_detail import show_item, show_similar
from app.components.item_search import show_item_search
from app.components.states import page, show_empty
from app.components.text import plain
from app.service.connection import catalogue, service
from app.service.errors import NotThere


@page
def draw() -> None:
    """Draw the page."""
    st.title("Item", anchor=False)
    found = catalogue()
    search, detail = st.columns([1, 2.4], gap="medium")
    with search:
        show_item_search(found)
    item_id = st.query_params.get("item")
    with detail:
        if item_id is None:
            show_empty("Search for an item, or open one from a list.")
            return
        try:
            item = service().item(item_id)
        except NotThere:
            show_empty(f"There is no item {plain(item_id)}.")
            return
        show_item(item, found)
        st.header("Similar by taste", anchor=False)
        show_similar(item_id, "model", found)
        st.header("Similar by content", anchor=False)
        show_similar(item_id, "content", found)
        st.header("What users do with it", anchor=False)
        show_activity(item_id)


draw()
