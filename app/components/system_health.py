"""How the service and all that it depends on are."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.components.text import heading_of

_WORDS = {
    "ready": ("Everything answers.", "success"),
    "degraded": ("Lists are answered, but plainer or slower: something is away.", "warning"),
    "unavailable": ("Nothing can be answered: something that is required is away.", "error"),
}


def show_health(readiness: Mapping[str, Any]) -> None:
    """Draw each dependency: whether it answers, and what is missing while it does not.

    Args:
        readiness: what ``/readyz`` answered.
    """
    words, kind = _WORDS.get(readiness["status"], (str(readiness["status"]), "info"))
    getattr(st, kind)(words)
    with st.container(key="dependencies"):
        for name, one in readiness["dependencies"].items():
            with st.container(border=True, key=f"dependency {name}"):
                st.html(dependency_html(name, one))


def dependency_html(name: str, one: Mapping[str, Any]) -> str:
    """A dependency as HTML: its state is a word as well as a colour."""
    is_up = one["status"] == "up"
    state = "answers" if is_up else "is away"
    lines = [
        f'<div class="rs-title"><span class="rs-dot {"rs-up" if is_up else "rs-down"}"></span>'
        f"{html.escape(heading_of(name))} {state}</div>"
    ]
    if not is_up and one.get("detail"):
        lines.append(f'<div class="rs-meta">{html.escape(str(one["detail"]))}</div>')
    without = "Now" if not is_up else "Without it"
    lines.append(f'<div class="rs-meta">{without}: {html.escape(one["effect"])}</div>')
    return "".join(lines)
