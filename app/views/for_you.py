"""What is recommended to a user, why, and how it changes with each rating."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.components.filters import show_filters
from app.components.list_comparisons import show_diversity_effect, show_what_if
from app.components.list_request import ListChoices, list_request
from app.components.list_view import list_caption, show_list, show_notes
from app.components.rating import ERROR
from app.components.rating_panel import show_rating_panel
from app.components.shown_list import shown_list
from app.components.states import page, show_empty
from app.components.text import heading_of, plain
from app.components.user_picker import show_user_picker
from app.service.connection import catalogue, service


@page
def draw() -> None:
    """Draw the page."""
    st.title("For you", anchor=False)
    found = catalogue()
    user_id = show_user_picker()
    st.html('<p class="rs-narrow">Length, diversity and filters: the arrows at the top left.</p>')
    choices = _choices(found)
    if user_id is None:
        show_empty("Choose a user, or begin as a new visitor: rate a few things, and the list becomes your own.")
        return
    if error := st.session_state.pop(ERROR, None):
        st.error(error)
    interactions = service().interactions(user_id)
    ratings, recommendations = st.columns([1, 2.4], gap="medium")
    request = list_request(user_id, choices, found["columns"])
    with recommendations:
        answer, milliseconds = shown_list(request)
        st.header(f"Recommended for {plain(user_id)}", anchor=False)
        st.caption(list_caption(answer, found["num_items"], milliseconds))
        show_notes(answer)
        listed, what_if = st.tabs(["List", "What if?"])
        with listed:
            show_diversity_effect(request, answer, choices)
            if answer["items"]:
                show_list(user_id, answer, found)
            else:
                show_empty("No item passes these filters. Take one away.")
        with what_if:
            st.write("The list as it would be without one item of the history, and so what that item does.")
            show_what_if(request, answer, interactions)
    with ratings:
        show_rating_panel(user_id, found, interactions)


def _choices(found: Mapping[str, Any]) -> ListChoices:
    with st.sidebar:
        st.header("List", anchor=False)
        k = st.slider("Length", 4, 40, 12, key="k", persist_state="session")
        hides_seen = st.toggle("Hide what is known", True, key="hide seen", persist_state="session")
        categories = [column["name"] for column in found["columns"] if column["kind"] == "category"]
        column, weight = found["diversity_column"], 0.0
        column = column if column in categories else (categories[0] if categories else None)
        if column is not None:
            weight = st.slider(
                "Diversity",
                0.0,
                1.0,
                0.0,
                0.05,
                key="diversity",
                persist_state="session",
                help="0: as the model has it. Further right the items of the list have less in common.",
            )
            if len(categories) > 1:
                column = st.selectbox(
                    "Diverse by",
                    categories,
                    categories.index(column),
                    format_func=heading_of,
                    key="diversity column",
                    persist_state="session",
                )
        st.header("Filters", anchor=False)
        filters = show_filters(found["columns"])
    return ListChoices(k, hides_seen, weight, column, filters)


draw()
