"""How the service is: dependencies, times, cache, degraded answers, spool, erasures."""

from __future__ import annotations

import streamlit as st

from app.components.stage_words import STAGE_WORDS, stage_words
from app.components.states import page, show_away, show_empty, show_refused
from app.components.system_health import show_health
from app.components.system_numbers import receipts_table, show_counts, show_latencies
from app.service.connection import service
from app.service.errors import NotAllowed, NotNow, ServiceAway
from app.service.metrics import read_metrics

#: Seconds after which the numbers are read again.
_REFRESH_SECONDS = 5
#: Receipts that are shown.
NUM_RECEIPTS = 20


@page
def draw() -> None:
    """Draw the page."""
    st.title("System", anchor=False)
    is_live = st.toggle(f"Read again every {_REFRESH_SECONDS} seconds", True, key="live")
    st.fragment(_draw_now, run_every=_REFRESH_SECONDS if is_live else None)()


def _draw_now() -> None:
    try:
        _show()
    except ServiceAway as error:
        show_away(str(error))


def _show() -> None:
    show_health(service().readiness())
    numbers = read_metrics(service().metrics())
    show_counts(numbers)
    stages = {stage_words(name): one for name, one in numbers.stages.items()}
    show_latencies("Stages of a list", stages, list(STAGE_WORDS.values()))
    show_latencies("Answers by route", numbers.routes)
    st.header("Erasures", anchor=False)
    try:
        receipts = service().erasures(NUM_RECEIPTS)
    except NotAllowed as error:
        show_refused(error)
    except NotNow:
        show_empty("The receipts cannot be read while the store is away.")
    else:
        _show_receipts(receipts)


def _show_receipts(receipts: list[dict[str, object]]) -> None:
    if not receipts:
        show_empty("Nobody has asked to be forgotten.")
        return
    st.dataframe(receipts_table(receipts), hide_index=True, width="stretch")
    st.caption("Each receipt is signed, and names the user only by a salted hash: /v1/erasures/RECEIPT has it whole.")


draw()
