"""Whose list it is: one of the users of the service, or a new one."""

from __future__ import annotations

from uuid import uuid4

import streamlit as st

from app.components.text import plain
from app.service.connection import first_users, service
from app.service.errors import NotAllowed, NotThere, ServiceError

#: Where the chosen user is kept, also while another page is shown.
USER = "user_id"

_WIDGET = "user choice"
#: Users that are offered, at most; any other one is typed.
_OFFERED = 200


def show_user_picker() -> str | None:
    """Draw the choice of a user.

    Returns:
        The id of a user that exists; None as long as none is chosen.
    """
    if USER not in st.session_state:
        st.session_state[USER] = st.query_params.get("user")
    chosen: str | None = st.session_state[USER]
    offered = options = _offered_users()
    if chosen is not None and chosen not in options:
        options = [chosen, *options]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.selectbox(
            "User",
            options,
            index=options.index(chosen) if chosen is not None else None,
            accept_new_options=True,
            placeholder="Choose a user, or type an id",
            width=320,
            help="Any id may be typed; a user who does not exist yet can be made.",
        )
        st.button("New visitor", icon=":material/person_add:", on_click=_make_visitor)
    if error := st.session_state.pop("user error", None):
        st.error(error)
    if typed is not None and typed != chosen:
        chosen = st.session_state[USER] = typed
    if chosen is None:
        st.query_params.pop("user", None)
        return None
    st.query_params["user"] = chosen
    return chosen if chosen in offered or _exists(chosen) else None


def _offered_users() -> list[str]:
    try:
        return first_users(_OFFERED)
    except NotAllowed:
        return []  # the key may not list users; any id can be typed


def _exists(user_id: str) -> bool:
    known: set[str] = st.session_state.setdefault("known users", set())
    if user_id in known:
        return True
    try:
        service().user(user_id)
        known.add(user_id)
        return True
    except NotThere:
        pass
    st.info(f"There is no user {plain(user_id)} yet.", icon=":material/person_search:")
    with st.container(horizontal=True):
        st.button(f"Make {plain(user_id)}", type="primary", on_click=_make, args=(user_id,))
        for name in _alike(user_id):
            st.button(plain(name), key=f"alike {name}", on_click=_choose, args=(name,))
    return False


def _alike(user_id: str) -> list[str]:
    try:
        return service().users(user_id, 5)
    except NotAllowed:
        return []


def _choose(user_id: str) -> None:
    st.session_state[USER] = user_id


def _make_visitor() -> None:
    _make(f"visitor-{uuid4().hex[:6]}")


def _make(user_id: str) -> None:
    try:
        service().create_user(user_id)
    except ServiceError as error:
        st.session_state["user error"] = str(error)
        return
    _choose(user_id)
