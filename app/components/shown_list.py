"""The list that a user sees: asked for once, and again when something changes it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.components.rating import VERSION
from app.service.connection import service

_KEY = "shown list"
#: Seconds for which a list is shown again without asking: each new one is noted as shown to the user.
_FRESH_SECONDS = 20.0


def shown_list(request: Mapping[str, Any]) -> tuple[dict[str, Any], float]:
    """The list for a request.

    Streamlit runs a page anew with every click. A click that changes nothing of the list must not note it again.

    Returns:
        The list, and the milliseconds that it took when it was asked for.
    """
    asked = json.dumps([request, st.session_state.get(VERSION, 0)], sort_keys=True)
    kept = st.session_state.get(_KEY)
    if kept is None or kept[0] != asked or time.monotonic() - kept[1] > _FRESH_SECONDS:
        start = time.perf_counter()
        found = service().recommend([request])[0]
        kept = (asked, time.monotonic(), found, 1_000 * (time.perf_counter() - start))
        st.session_state[_KEY] = kept
    return kept[2], kept[3]
