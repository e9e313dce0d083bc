"""What a user has done beside two lists for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.components.card import ranked_row_html
from app.components.comparing.moves import moves_table
from app.components.history import latest_by_item
from app.components.list_changes import changes_summary, list_changes
from app.components.list_view import show_notes
from app.components.states import show_empty
from app.components.tables import show_table
from app.components.text import plain, value_text

#: What a history shows, at most: the latest.
NUM_HISTORY = 12


def show_lists(
    interactions: Sequence[Mapping[str, Any]],
    lists: Sequence[tuple[str, Mapping[str, Any]]],
    catalogue: Mapping[str, Any],
) -> None:
    """Draw the history and both lists beside each other.

    Args:
        interactions: of the user, the latest first.
        lists: the label and the answer of each.
        catalogue: of the service.
    """
    history, first, second = st.columns([0.8, 1, 1], gap="medium")
    with history:
        st.header("History", anchor=False)
        _show_history(latest_by_item(interactions))
    changes = list_changes(lists[0][1]["items"], lists[1][1]["items"])
    marks = [{}, {one.item_id: one.words for one in changes if one.before != one.after}]
    for place, column in enumerate((first, second)):
        label, answer = lists[place]
        with column:
            st.header(plain(label), anchor=False)
            st.caption(source_caption(answer))
            show_notes(answer)
            if not answer["items"]:
                show_empty("It has nothing for this user.")
            rows = [
                ranked_row_html(item, catalogue["columns"], marks[place].get(item["item_id"]))
                for item in answer["items"]
            ]
            st.html(f'<ol class="rs-list">{"".join(rows)}</ol>')


def source_caption(answer: Mapping[str, Any]) -> str:
    """What made a list, in a line of Markdown: its bundle, and the variant of an experiment."""
    variant = f" · {plain(answer['experiment_id'])}: {plain(answer['variant'])}" if answer["experiment_id"] else ""
    return f"Bundle {plain(answer['bundle'])}{variant}"


def show_moves(first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
    """Say and table what moved from one list to the other, and why."""
    st.write(changes_summary(list_changes(first["items"], second["items"])))
    table = moves_table(first, second)
    if table.empty:
        show_empty("Both lists are empty.")
        return
    show_table(table, "moves")


def _show_history(interactions: Sequence[Mapping[str, Any]]) -> None:
    if not interactions:
        show_empty("Nothing yet: both lists are for somebody unknown.")
        return
    lines = []
    for one in interactions[:NUM_HISTORY]:
        told = one["type"] if one["value"] is None else f"{one['type']} {value_text(one['value'])}"
        lines.append(f"- {plain(one['title'])} · {plain(told)}")
    st.markdown("\n".join(lines))
    if len(interactions) > NUM_HISTORY:
        st.caption(f"The latest {NUM_HISTORY} of {len(interactions):,}.")
