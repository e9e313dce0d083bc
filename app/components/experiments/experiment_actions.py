"""What can be done to an experiment: start, ramp, roll out, pause, resume, stop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.components.text import plain
from app.service.connection import experiments
from app.service.errors import ServiceError

#: Buckets of a layer, of which an experiment has some: its traffic.
_NUM_BUCKETS = 10_000
#: What went wrong with the last change, until the page has said it.
_FAILED = "experiment failed"

#: By status, what may be done.
ACTS = {"draft": ("start", "rollout", "stop"), "running": ("pause", "stop"), "paused": ("resume", "stop")}


def show_actions(experiment: Mapping[str, Any]) -> None:
    """Draw what can be done now.

    Args:
        experiment: of the service.
    """
    if failed := st.session_state.pop(_FAILED, None):
        st.error(failed)
    acts = ACTS.get(experiment["status"], ())
    if not acts:
        st.caption("It is over: a stopped experiment does not start again.")
        return
    if "start" in acts:
        _button(experiment, "start", "Start", ":material/play_arrow:", primary=True)
    if "rollout" in acts and experiment["definition"].get("guardrails"):
        _button(experiment, "rollout", "Roll out step by step", ":material/stairs:", {})
    if "resume" in acts:
        _button(experiment, "resume", "Go on", ":material/play_arrow:", primary=True)
    if "pause" in acts:
        _button(experiment, "pause", "Pause", ":material/pause:")
    if st.button("Stop", icon=":material/stop:", key="stop"):
        _confirm_stop(experiment)


def traffic_of(definition: Mapping[str, Any]) -> float:
    """Share of the users who take part."""
    return sum(stop - start for start, stop in definition.get("buckets", ())) / _NUM_BUCKETS


def show_ramp(experiment: Mapping[str, Any]) -> None:
    """Draw how many users take part; nothing where a rollout decides that."""
    if experiment["rollout"] is not None and experiment["rollout"]["status"] == "running":
        return
    now = traffic_of(experiment["definition"])
    key, percent = f"traffic {experiment['revision']}", max(1, round(100 * now))
    share = st.slider("Users who take part (%)", 1, 100, percent, key=key, width=320)
    st.button(
        "Change traffic",
        key="ramp",
        disabled=share == percent,
        on_click=_act,
        args=(experiment["experiment_id"], "ramp", {"traffic": share / 100}),
    )


def _button(
    experiment: Mapping[str, Any],
    act: str,
    label: str,
    icon: str,
    body: Mapping[str, Any] | None = None,
    primary: bool = False,
) -> None:
    st.button(
        label,
        icon=icon,
        key=act,
        type="primary" if primary else "secondary",
        on_click=_act,
        args=(experiment["experiment_id"], act, body),
    )


@st.dialog("Stop the experiment?")
def _confirm_stop(experiment: Mapping[str, Any]) -> None:
    st.write(f"Everybody gets what is live, and **{plain(experiment['name'])}** does not start again. Results stay.")
    with st.container(horizontal=True):
        if st.button("Stop it", type="primary", key="stop yes"):
            _act(experiment["experiment_id"], "stop", None)
            st.rerun()
        if st.button("Let it run", key="stop no"):
            st.rerun()


def _act(experiment_id: str, act: str, body: Mapping[str, Any] | None) -> None:
    try:
        experiments().act(experiment_id, act, body)
    except ServiceError as error:
        st.session_state[_FAILED] = f"Nothing was changed. {error}"
