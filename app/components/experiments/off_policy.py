"""How another policy would have done, by lists that explored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import streamlit as st

from app.components.experiments.experiment_numbers import estimates_table
from app.components.states import show_empty
from app.components.tables import show_table
from app.components.text import plain
from app.service.connection import experiments

EPSILON, BUNDLE = "the same ranker, exploring more or less often", "a bundle"


def show_off_policy(known: Sequence[Mapping[str, Any]], bundle_names: Sequence[str]) -> None:
    """Draw the preview of a policy.

    Args:
        known: experiments of the service.
        bundle_names: that are open: only those can make lists again.
    """
    latest_first = sorted(known, key=lambda one: one["started_at"] or "", reverse=True)
    exploring = {one["experiment_id"]: one for one in latest_first if explores(one["definition"])}
    if not exploring:
        show_empty(
            "No experiment explores. Make one with a variant that does ('More of this variant'): without chance in "
            "lists the log says nothing of lists that were not shown."
        )
        return
    with st.container(border=True):
        with st.container(horizontal=True):
            experiment_id = st.selectbox(
                "Lists of",
                list(exploring),
                format_func=lambda one: exploring[one]["name"],
                width=360,
                key="judged experiment",
            )
            usual = usual_success(exploring[experiment_id]["definition"])
            event = st.text_input("What is a success", usual.event, width=180, key=f"success {experiment_id}")
            hours = st.number_input(
                "Hours in which it counts",
                0.001,
                2_160.0,
                usual.hours,
                format="%g",
                width=200,
                key=f"success hours {experiment_id}",
                help="After a list. Lists that are younger than that are not judged yet.",
            )
        policy = _show_policy(bundle_names)
        asks = st.button("Judge", type="primary")
    if asks:
        with st.spinner("Lists of the past are read, and made again where a bundle is judged ..."):
            found = experiments().off_policy(
                {"policy": policy, "experiment_id": experiment_id, "event": event, "attribution_hours": hours}
            )
        _show(found)


class Success(NamedTuple):
    """What counts as a success of a list.

    Args:
        event: a type of interactions.
        hours: after the list, in which it counts.
    """

    event: str
    hours: float


def usual_success(definition: Mapping[str, Any]) -> Success:
    """What an experiment counts: the event of its first metric, within its own time."""
    metrics = definition.get("metrics") or [{"event": "click"}]
    return Success(str(metrics[0]["event"]), float(definition.get("attribution_window_hours", 24.0)))


def _show_policy(bundle_names: Sequence[str]) -> dict[str, Any]:
    judged = st.radio("Judge", [EPSILON, BUNDLE], horizontal=True, key="judged policy")
    if judged == EPSILON:
        return {"epsilon": st.slider("Probability of exploring", 0.0, 1.0, 0.0, 0.05, width=360, key="judged epsilon")}
    help_text = "Those that are open. A draft of an experiment with a variant of another one opens that one."
    return {"bundle": st.selectbox("Bundle", bundle_names, width=360, help=help_text, key="judged bundle")}


def explores(definition: Mapping[str, Any]) -> bool:
    """Whether a variant explores."""
    return any((one.get("list_options") or {}).get("exploration") for one in definition["variants"])


def _show(found: Mapping[str, Any]) -> None:
    st.write(plain(found["sentence"]))
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in found["left_out"].items())
    st.caption(f"{found['num_lists']:,} lists" + (f"; left out: {left_out}" if left_out else ""))
    if found["estimates"]:
        show_table(estimates_table(found), "estimates")
    for one in found["estimates"]:
        if one.get("verdict") == "refused":
            st.warning(plain(one["sentence"]))
    for name, why in found["unavailable"].items():
        st.caption(f"{plain(name)} cannot be used: {plain(why)}")
