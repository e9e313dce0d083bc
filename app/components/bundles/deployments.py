"""Which bundle answers, and how another one is made to: always asked twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.components.states import show_empty
from app.components.tables import day_text, interval_text, moment_text, show_table
from app.components.text import plain
from app.service.connection import bundles
from app.service.errors import ServiceError

#: What became of the last change, until the page has said it.
_DONE, _FAILED = "deployment done", "deployment failed"
#: Characters of a note, at most.
_MAX_NOTE = 500


def show_live_bundle(overview: Mapping[str, Any]) -> None:
    """Say which bundle answers, and offer another one or the one before."""
    if done := st.session_state.pop(_DONE, None):
        st.success(done, icon=":material/check_circle:")
    if failed := st.session_state.pop(_FAILED, None):
        st.error(failed)
    live = next((one for one in overview["loaded"] if one["live"]), None)
    if live is not None:
        st.markdown(
            f"**{plain(live['name'])}** answers: {plain(live['model'])}, {live['num_items']:,} items, "
            f"{live['num_users']:,} users of {plain(live['data'])}."
        )
    others = [name for name in overview["available"] if live is None or name != live["name"]]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Another bundle", others, index=None, placeholder="Choose a bundle", width=280)
        if st.button("Make it live", type="primary", disabled=chosen is None, icon=":material/rocket_launch:"):
            _confirm_live(str(chosen))
        if st.button("Go back to the one before", icon=":material/undo:"):
            _confirm_back()


def bundles_table(overview: Mapping[str, Any], evaluations: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """All bundles that may answer, with what they were measured at; the live one is named as such."""
    loaded = {one["name"]: one for one in overview["loaded"]}
    measured = {one["bundle"]: one for one in evaluations}
    rows = []
    for name in overview["available"]:
        opened, evaluation = loaded.get(name), measured.get(name)
        models = [] if evaluation is None else evaluation["models"]
        state = "not open" if opened is None else "live" if opened["live"] else "open"
        rows.append(
            [
                name,
                state,
                " + ".join(one["model"] for one in models) or "–",
                _usual_metric(models),
                "–" if evaluation is None else evaluation["data"],
                "–" if evaluation is None else day_text(evaluation["created_at"]),
            ]
        )
    table = pd.DataFrame(rows, columns=["Bundle", "State", "Model", "ndcg@10", "Data", "Exported"])
    # Where all are of the same data, the line above the table names them.
    return table if table["Data"].nunique() > 1 else table.drop(columns="Data")


def show_deployments(deployments: Sequence[Mapping[str, Any]]) -> None:
    """Table which bundle was made live when."""
    if not deployments:
        show_empty("No bundle was made live since the service began: the first one answers.")
        return
    rows = [[moment_text(one["activated_at"]), one["bundle"], one["note"] or "–"] for one in deployments]
    show_table(pd.DataFrame(rows, columns=["Live since (UTC)", "Bundle", "Why"]), "deployments")


@st.dialog("Make another bundle live?")
def _confirm_live(name: str) -> None:
    st.write(f"**{plain(name)}** will answer every user from their next list on. It is opened and checked first.")
    _confirm("Make it live", lambda note: bundles().activate(name, note))


@st.dialog("Go back?")
def _confirm_back() -> None:
    st.write("The bundle that was live before will answer every user from their next list on.")
    _confirm("Go back", bundles().roll_back)


def _confirm(label: str, change: Callable[[str | None], Mapping[str, Any]]) -> None:
    note = st.text_input("Why (it is kept)", max_chars=_MAX_NOTE, key="deployment note")
    with st.container(horizontal=True):
        agrees = st.button(label, type="primary", key="deployment yes")
        if st.button("Leave it as it is", key="deployment no"):
            st.rerun()
    if agrees:
        try:
            with st.spinner("The bundle is opened ..."):
                live = change(note)
        except ServiceError as error:
            st.session_state[_FAILED] = f"Nothing was changed. {error}"
        else:
            st.session_state[_DONE] = f"{live['name']} answers now."
        st.rerun()


def _usual_metric(models: Sequence[Mapping[str, Any]]) -> str:
    for model in reversed(models):
        for one in model["metrics"]:
            if (one["metric"], one["k"]) == ("ndcg", 10):
                return interval_text(one["value"], one["low"], one["high"])
    return "–"
