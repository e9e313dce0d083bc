"""What a page shows instead of what was asked for: nothing there, refused, or the service away."""

from __future__ import annotations

import functools
from collections.abc import Callable

import streamlit as st

from app.components.styles import apply_styles
from app.service.connection import service
from app.service.errors import NotNow, ServiceAway, ServiceError, ServiceRefused

#: Seconds between looks whether the service is back.
_LOOK_SECONDS = 2


def page(draw: Callable[[], None]) -> Callable[[], None]:
    """A page that says in words what is wrong, and goes on by itself when the service is back."""

    @functools.wraps(draw)
    def drawn() -> None:
        apply_styles()
        try:
            draw()
        except ServiceAway as error:
            show_away(str(error))
        except NotNow as error:
            show_away(str(error), starts=False)
        except ServiceRefused as error:
            show_refused(error)

    return drawn


def show_away(message: str, starts: bool = True) -> None:
    """Say that the service does not answer, and how it is started.

    Args:
        message: what is wrong.
        starts: whether starting it would help.
    """
    st.error(f"**The service does not answer.** {message}", icon=":material/cloud_off:")
    if starts:
        st.write("Start it in a terminal:")
        st.code("make serve", language="bash")
        st.caption("Where it runs elsewhere, set RECSYS_API_URL and RECSYS_API_KEY and start the app again.")
    st.caption("This page looks for it every two seconds and goes on by itself.")
    _wait_until_back(starts)


@st.fragment(run_every=_LOOK_SECONDS)
def _wait_until_back(starts: bool) -> None:
    if is_back(accepts_degraded=starts):
        st.rerun()


def is_back(accepts_degraded: bool) -> bool:
    """Whether the service answers again.

    Args:
        accepts_degraded: also where something that it depends on is away.
    """
    try:
        status = service().readiness().get("status")
    except ServiceError:
        return False
    return status == "ready" or (accepts_degraded and status == "degraded")


def show_refused(error: ServiceRefused) -> None:
    """Say what the service did not do, and by which id its log knows it."""
    st.error(str(error), icon=":material/block:")
    if error.request_id:
        st.caption(f"Request {error.request_id} in the service's log.")


def show_empty(text: str) -> None:
    """Say that there is nothing, and what to do."""
    st.info(text, icon=":material/inbox:")
