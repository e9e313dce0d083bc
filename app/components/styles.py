"""What pages look like beyond Streamlit's own."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_STYLES = Path(__file__).with_name("styles.css")


def apply_styles() -> None:
    """Add the styles to the page that is drawn."""
    st.html(_STYLES)
