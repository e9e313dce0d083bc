"""The picture of an item: a film's poster where they are switched on and there is one, else a drawn cover."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable

import streamlit as st

from app.components.cover import cover_html
from app.service.posters import KEY_VARIABLE, NOTICE, Posters, posters_with


def picture_html(title: str, category: str) -> str:
    """The picture as an element of HTML, decorative for who cannot see it.

    Args:
        title: of the item, or its id.
        category: its first category; an empty text where it has none.
    """
    posters = _posters()
    address = None if posters is None else posters.poster_of(title)
    if address is None:
        return cover_html(title, category)
    return f'<div class="rs-cover rs-poster"><img alt="" src="{html.escape(address)}"></div>'


def load_pictures(titles: Iterable[str]) -> None:
    """Look for the posters of a list at once, before it is drawn; says where they come from."""
    posters = _posters()
    if posters is not None:
        posters.wait_for(titles)
        st.caption(NOTICE)


def _posters() -> Posters | None:
    key = os.environ.get(KEY_VARIABLE, "").strip()
    return posters_with(key) if key else None
