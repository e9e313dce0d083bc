"""What a user is asked about, and what the user has rated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.components.card import row_html
from app.components.history import latest_by_item
from app.components.rating import show_rating, take_back
from app.components.states import show_empty
from app.components.text import plain
from app.service.connection import service

#: Items that are asked about at once, and that are listed as rated.
NUM_ASKED, NUM_RATED = 6, 20


def show_rating_panel(user_id: str, catalogue: Mapping[str, Any], interactions: Sequence[Mapping[str, Any]]) -> None:
    """Draw items to rate, and those that are rated.

    Args:
        user_id: who rates.
        catalogue: of the service.
        interactions: of the user, the latest first.
    """
    rated = latest_by_item(interactions)
    verb = "Rate" if catalogue["ratings"] else "Like"
    with st.container(border=True):
        asked, known = st.tabs([f"{verb} what you know", f"{verb}d ({len(rated):,})"])
        with asked:
            _show_asked(user_id, catalogue, [one["item_id"] for one in rated])
        with known:
            _show_rated(user_id, catalogue, rated)


def _show_asked(user_id: str, catalogue: Mapping[str, Any], rated: Sequence[str]) -> None:
    skipped: list[str] = st.session_state.setdefault(f"skipped {user_id}", [])
    names = [column["name"] for column in catalogue["columns"]]
    # The service takes some ids to leave out; of whoever has rated more, the rest is left out here.
    asked = service().elicitation(NUM_ASKED * 4, [*skipped, *rated], names)
    hidden = {*rated, *skipped}
    asked = [item for item in asked if item["item_id"] not in hidden][:NUM_ASKED]
    if not asked:
        show_empty("There is nothing left to ask about.")
    for item in asked:
        with st.container(key=f"ask {item['item_id']}", gap="xsmall"):
            st.html(row_html(item, catalogue["columns"]))
            show_rating(user_id, item["item_id"], catalogue["ratings"], "ask")
    if asked or skipped:
        st.button(
            "Ask about others",
            icon=":material/skip_next:",
            on_click=_skip,
            args=(user_id, [item["item_id"] for item in asked]),
        )


def _skip(user_id: str, items: Sequence[str]) -> None:
    key = f"skipped {user_id}"
    # When nothing was left, all that was skipped is asked about again.
    st.session_state[key] = [*st.session_state.get(key, []), *items] if items else []


def _show_rated(user_id: str, catalogue: Mapping[str, Any], rated: Sequence[Mapping[str, Any]]) -> None:
    if not rated:
        show_empty("Nothing yet.")
    for one in rated[:NUM_RATED]:
        item_id = one["item_id"]
        title = one["title"]
        st.markdown(f"**{plain(title)}**")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if one["value"] is not None and catalogue["ratings"]:
                show_rating(user_id, item_id, catalogue["ratings"], "rated", one["value"])
            else:
                st.caption(plain(one["type"]))
            st.button(
                "Take back",
                key=f"take back {one['event_id']}",
                type="tertiary",
                icon=":material/undo:",
                help=f"Delete what was said about {plain(title)}",
                on_click=take_back,
                args=(one["event_id"],),
            )
    if len(rated) > NUM_RATED:
        st.caption(f"The latest {NUM_RATED} of {len(rated):,}.")
