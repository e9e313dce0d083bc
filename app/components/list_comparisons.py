"""The list beside another one: without diversity, or without one of the ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.components.history import latest_by_item, session_without
from app.components.list_changes import changes_summary, changes_table, list_changes
from app.components.list_request import ListChoices, without_diversity, without_rating
from app.components.similarity import list_similarity
from app.components.states import show_empty
from app.components.tables import show_table
from app.components.text import heading_of
from app.service.connection import service

#: Ratings that a what-if offers, at most.
NUM_OFFERED = 50


def show_diversity_effect(request: Mapping[str, Any], answer: Mapping[str, Any], choices: ListChoices) -> None:
    """Draw what diversity does to the list: how alike its items are before and after, what came in and what left.

    Args:
        request: of the list.
        answer: the list.
        choices: with the diversity.
    """
    if not choices.is_diverse or choices.diversity_column is None:
        return
    column = choices.diversity_column
    before = service().recommend([without_diversity(request)])[0]
    old, new = list_similarity(before["items"], column), list_similarity(answer["items"], column)
    changes = list_changes(before["items"], answer["items"])
    with st.container(border=True, key="diversity effect"):
        with st.container(horizontal=True, vertical_alignment="center", gap="large"):
            if old is not None and new is not None:
                st.metric(
                    f"Similarity within the list, by {heading_of(column).lower()}",
                    f"{new:.2f}",
                    f"{new - old:+.2f} from {old:.2f}",
                    delta_color="inverse",
                    width="content",
                    help="Mean over all pairs of items: values that both have, of those that one of them has. "
                    "0: nothing in common; 1: all the same.",
                )
            st.write(changes_summary(changes))
        with st.expander("What came in, what left, what moved"):
            show_table(changes_table(changes, "Before", "Diverse"), "diversity")


def show_what_if(
    request: Mapping[str, Any], answer: Mapping[str, Any], interactions: Sequence[Mapping[str, Any]]
) -> None:
    """Draw the list as it would be without one of the ratings, beside the list.

    Args:
        request: of the list.
        answer: the list.
        interactions: of the user, the latest first.
    """
    rated = latest_by_item(interactions)[:NUM_OFFERED]
    if not rated:
        show_empty("Say first what you like: then this shows what each item of the history does.")
        return
    titles = {one["item_id"]: one["title"] for one in rated}
    chosen = st.selectbox(
        "Without",
        list(titles),
        index=None,
        format_func=lambda item_id: titles.get(item_id, item_id),
        placeholder="Choose something of the history",
        key="what if",
    )
    if chosen is None:
        return
    session = session_without(interactions, chosen)
    other = service().recommend([without_rating(request, session, chosen)])[0]
    changes = list_changes(answer["items"], other["items"])
    st.write(changes_summary(changes))
    show_table(changes_table(changes, "With it", "Without"), "what-if")
