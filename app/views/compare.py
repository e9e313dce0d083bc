"""One user's lists by two models or variants: what moved, why, and how each came about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app.components.comparing.compared_lists import show_lists, show_moves
from app.components.comparing.list_sources import ListSource, compared_request, first_two, list_sources
from app.components.comparing.trace_view import show_trace
from app.components.states import page, show_empty
from app.components.user_picker import show_user_picker
from app.service.connection import bundles, catalogue, experiments, service

_SIDES = ("First", "Second")


@page
def draw() -> None:
    """Draw the page."""
    st.title("Compare", anchor=False)
    found = catalogue()
    user_id = show_user_picker()
    overview = bundles().overview()
    sources = list_sources(overview, experiments().all())
    chosen = _choose(sources, first_two(sources, overview))
    with st.container(horizontal=True, vertical_alignment="center"):
        k = st.slider("Length of the lists", 4, 40, 10, key="compared k", width=280, persist_state="session")
        hides_seen = st.toggle("Hide what is known", True, key="compared hides seen", persist_state="session")
    if user_id is None:
        show_empty("Choose a user whose lists are compared.")
        return
    requests = [compared_request(user_id, one, k, hides_seen, found["columns"]) for one in chosen]
    with st.spinner("Both lists are made; a bundle that is not open is opened first ..."):
        answers = service().recommend(requests, patient=True)
    lists, moves, ways = st.tabs(["Both lists", "What moved, and why", "The way to a list"])
    with lists:
        interactions = service().interactions(user_id)
        show_lists(interactions, list(zip((one.label for one in chosen), answers, strict=True)), found)
    with moves:
        show_moves(answers[0], answers[1])
    with ways:
        side = st.segmented_control("Of which list", _SIDES, default=_SIDES[0], key="traced side") or _SIDES[0]
        show_trace(answers[_SIDES.index(side)], side)


def _choose(sources: Sequence[ListSource], first: tuple[int, int]) -> list[ListSource]:
    labels = [one.label for one in sources]
    chosen: list[Any] = []
    with st.container(horizontal=True):
        for side, index in zip(_SIDES, first, strict=True):
            label = st.selectbox(side, labels, index, key=f"source {side}", width=320, persist_state="session")
            chosen.append(sources[labels.index(label)])
    return chosen


draw()
