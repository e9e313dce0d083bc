"""A list of recommendations as cards, and why each one is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.components.card import card_html
from app.components.contributions import show_contributions
from app.components.picture import load_pictures
from app.components.rating import show_rating
from app.components.text import plain

_DEGRADED = {
    "store": "the store is away, so the newest of what you did may be missing",
    "runtime": "the model server is away",
    "cache": "the cache is away, so it takes a little longer",
    "experiments": "the experiments could not be read",
    "exposures": "it could not be noted that you saw this list",
}


def show_list(user_id: str, answer: Mapping[str, Any], catalogue: Mapping[str, Any]) -> None:
    """Draw a list.

    Args:
        user_id: who sees it.
        answer: of the service.
        catalogue: of the service.
    """
    columns: Sequence[Mapping[str, Any]] = catalogue["columns"]
    top = max((item["score"] for item in answer["items"] if item["score"] is not None), default=None)
    load_pictures(item["title"] for item in answer["items"])
    with st.container(key="cards"):
        for item in answer["items"]:
            with st.container(border=True, key=f"card {item['item_id']}", gap="xsmall"):
                st.html(card_html(item, columns, top))
                about = {"recommendation_id": answer["recommendation_id"], "position": item["rank"]}
                show_rating(user_id, item["item_id"], catalogue["ratings"], "card", about=about)
                with st.container(horizontal=True, gap="xsmall"):
                    _show_links(item, answer["explanation_method"])


def list_caption(answer: Mapping[str, Any], num_items: int, milliseconds: float) -> str:
    """Where a list comes from, in a line of Markdown.

    Args:
        answer: of the service.
        num_items: of the catalogue.
        milliseconds: that it took.
    """
    parts = [f"{len(answer['items'])} of {num_items:,} items", f"bundle {plain(answer['bundle'])}"]
    if answer["experiment_id"]:
        parts.append(f"experiment {plain(answer['experiment_id'])}, variant {plain(answer['variant'])}")
    return " · ".join([*parts, f"{milliseconds:.0f} ms"])


def show_notes(answer: Mapping[str, Any]) -> None:
    """Say what the reader should know of a list.

    Args:
        answer: of the service.
    """
    for name in answer["degraded"]:
        st.warning(f"Answered without everything: {_DEGRADED.get(name, name)}.", icon=":material/warning:")
    if not answer["personalized"]:
        st.info("This is what is popular: say what you like, and the list becomes your own.", icon=":material/star:")
    for note in answer["notes"]:
        if answer["personalized"] or "popular" not in note:
            st.caption(plain(note))


def _show_links(item: Mapping[str, Any], method: str | None) -> None:
    title = plain(item["title"])
    if st.button("Why?", key=f"why {item['item_id']}", type="tertiary", help=f"Why {title} is here"):
        _explain(item, method)
    if st.button("Open", key=f"open {item['item_id']}", type="tertiary", help=f"All about {title}"):
        st.switch_page("views/item.py", query_params={"item": item["item_id"]})


@st.dialog("Why is it here?")
def _explain(item: Mapping[str, Any], method: str | None) -> None:
    st.header(plain(item["title"]), anchor=False)
    show_contributions(item, method)
