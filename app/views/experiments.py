"""Experiments on what users are shown: defined, started, watched, stopped, and planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.components.experiments.experiment_actions import show_actions, show_ramp
from app.components.experiments.experiment_form import show_experiment_form
from app.components.experiments.experiment_numbers import experiments_table
from app.components.experiments.experiment_results import show_results
from app.components.experiments.off_policy import show_off_policy
from app.components.experiments.power_calculator import show_power
from app.components.states import page, show_away, show_empty
from app.components.tables import moment_text, show_table
from app.components.text import plain
from app.service.connection import bundles, catalogue, experiments
from app.service.errors import ServiceAway

SECTIONS = ("Experiments", "New", "Power", "Off-policy")
#: Seconds after which the results are read again.
_REFRESH_SECONDS = 10


@page
def draw() -> None:
    """Draw the page."""
    st.title("Experiments", anchor=False)
    known = experiments().all()
    opened = st.session_state.pop("open section", None)
    if opened or "experiments section" not in st.session_state:
        st.session_state["experiments section"] = opened or SECTIONS[0]
    section = st.segmented_control("Show", SECTIONS, key="experiments section", label_visibility="collapsed")
    if section == "New":
        show_experiment_form(bundles().overview()["available"], catalogue())
    elif section == "Power":
        show_power(known)
    elif section == "Off-policy":
        show_off_policy(known, [one["name"] for one in bundles().overview()["loaded"]])
    else:
        _show_experiments(known)


def _show_experiments(known: Sequence[Mapping[str, Any]]) -> None:
    if not known:
        show_empty("There is no experiment yet. Define one under New.")
        return
    ids = [one["experiment_id"] for one in reversed(known)]
    names = {one["experiment_id"]: f"{one['name']} ({one['status']})" for one in known}
    if st.session_state.get("experiment") not in ids:
        st.session_state["experiment"] = ids[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Experiment", ids, format_func=lambda one: names[one], key="experiment", width=420)
        experiment = next(one for one in known if one["experiment_id"] == chosen)
        show_actions(experiment)
    is_live = False
    if experiment["status"] == "running":
        with st.container(horizontal=True, vertical_alignment="bottom"):
            show_ramp(experiment)
            is_live = st.toggle(f"Read again every {_REFRESH_SECONDS} seconds", key="watch")
    st.fragment(_show_now, run_every=_REFRESH_SECONDS if is_live else None)(experiment)
    with st.expander(f"All experiments ({len(known):,})"):
        show_table(experiments_table(known), "experiments")
    with st.expander("What was done to it"):
        for step in experiments().one(chosen)["steps"]:
            st.markdown(f"- {moment_text(step['at'])}: {plain(step['act'])} by {plain(step['actor'])}")


def _show_now(experiment: Mapping[str, Any]) -> None:
    try:
        show_results(experiment)
    except ServiceAway as error:
        show_away(str(error))


draw()
