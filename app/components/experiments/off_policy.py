"""How another policy would have done, by lists that explored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.components.experiments.experiment_numbers import estimates_table
from app.components.states import show_empty
from app.components.tables import show_table
from app.components.text import plain
from app.service.connection import experiments

EPSILON, BUNDLE = "the ranker that was logged, exploring as often as", "a bundle"


def show_off_policy(known: Sequence[Mapping[str, Any]], bundle_names: Sequence[str]) -> None:
    """Draw the preview of a policy.

    Args:
        known: experiments of the service.
        bundle_names: that may be judged.
    """
    exploring = [one["experiment_id"] for one in known if explores(one["definition"])]
    if not exploring:
        show_empty(
            "No experiment explores. Make one with a variant that does ('More of this variant'): without chance in "
            "lists the log says nothing of lists that were not shown."
        )
        return
    with st.form("off-policy"):
        experiment_id = st.selectbox("Lists of", exploring)
        judged = st.radio("Judge", [EPSILON, BUNDLE], horizontal=True)
        epsilon = st.slider("Probability of exploring", 0.0, 1.0, 0.0, 0.05)
        bundle = st.selectbox("Bundle", bundle_names, help="It has to be open: a draft with a variant of it opens it.")
        event = st.text_input("What is a success", "click")
        hours = st.number_input("Hours in which it counts", 0.01, 2_160.0, 24.0)
        asks = st.form_submit_button("Judge", type="primary")
    if asks:
        policy = {"epsilon": epsilon} if judged == EPSILON else {"bundle": bundle}
        with st.spinner("Lists of the past are read, and made again where a bundle is judged ..."):
            found = experiments().off_policy(
                {"policy": policy, "experiment_id": experiment_id, "event": event, "attribution_hours": hours}
            )
        _show(found)


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
