"""How a user tells what they like: stars where the data have ratings, else a like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.service.connection import service
from app.service.errors import ServiceError

#: What went wrong with the last rating, until the page has said it.
ERROR = "rating error"
#: Goes up with each rating, so that lists are asked for anew.
VERSION = "rating version"

_STARS = 5


def show_rating(
    user_id: str,
    item_id: str,
    ratings: Mapping[str, Any] | None,
    place: str,
    current: float | None = None,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Draw the stars, or the like, of one item.

    Args:
        user_id: who rates.
        item_id: what is rated.
        ratings: range of the catalogue's ratings; None: it has none.
        place: tells the widget from others of the same item.
        current: the rating that it has; None: none.
        about: what else is told, such as the list that the item comes from.
    """
    key = f"rate {place} {user_id} {item_id} {current}"
    told = dict(about or {})
    if ratings is None:
        st.button("Like", key=key, icon=":material/thumb_up:", on_click=_like, args=(user_id, item_id, told))
        return
    default = None if current is None else star_of(current, ratings)
    st.feedback("stars", key=key, default=default, on_change=_rate, args=(key, user_id, item_id, dict(ratings), told))


def value_of(star: int, ratings: Mapping[str, Any]) -> float:
    """The rating of a star, the first of five being 0."""
    low, high = float(ratings["minimum"]), float(ratings["maximum"])
    return low + (high - low) * star / (_STARS - 1)


def star_of(value: float, ratings: Mapping[str, Any]) -> int:
    """The star that is closest to a rating."""
    low, high = float(ratings["minimum"]), float(ratings["maximum"])
    if high <= low:
        return _STARS - 1
    return min(_STARS - 1, max(0, round((value - low) / (high - low) * (_STARS - 1))))


def take_back(event_id: str) -> None:
    """Delete an interaction."""
    _told(lambda: service().delete_interaction(event_id))


def _rate(key: str, user_id: str, item_id: str, ratings: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    star = st.session_state.get(key)
    if star is None:
        return
    body = {"user_id": user_id, "item_id": item_id, "type": "rating", "value": value_of(star, ratings), **about}
    _told(lambda: service().append_interaction(body))


def _like(user_id: str, item_id: str, about: Mapping[str, Any]) -> None:
    _told(lambda: service().append_interaction({"user_id": user_id, "item_id": item_id, "type": "like", **about}))


def _told(tell: Any) -> None:
    try:
        tell()
    except ServiceError as error:
        st.session_state[ERROR] = f"It was not saved. {error}"
        return
    st.session_state[VERSION] = st.session_state.get(VERSION, 0) + 1
