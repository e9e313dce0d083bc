"""What an experiment is defined by: two variants, what is measured, and what must not get worse."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.components.text import heading_of
from app.service.connection import experiments
from app.service.errors import ServiceError

CONTROL, TREATMENT = "control", "treatment"
LIVE = "the live bundle"
AS_IT_IS = "as it is"
KINDS = {"rate": "share of users with one", "mean": "number for each user", "ratio": "number for each list"}
_OPTION_WORDS = {"k": "list of"}
_DIVERSITIES = {"mmr": "items that have less in common", "calibrated": "categories in the shares of the user's history"}
#: Kept until the page has said it.
_MADE = "experiment made"

Choices = Mapping[str, Any]


def show_experiment_form(bundle_names: Sequence[str], catalogue: Mapping[str, Any]) -> None:
    """Draw the definition of a new experiment; it becomes a draft.

    Args:
        bundle_names: that variants may be answered by.
        catalogue: of the service.
    """
    categories = [column["name"] for column in catalogue["columns"] if column["kind"] == "category"]
    with st.form("new experiment"):
        chosen: dict[str, Any] = {"name": st.text_input("Name", placeholder="More diverse lists", max_chars=200)}
        chosen["id"] = st.text_input("Id", placeholder="made of the name where it is left empty", max_chars=64)
        left, right = st.columns(2, gap="medium")
        for side, column in ((CONTROL, left), (TREATMENT, right)):
            with column:
                st.markdown(f"**{heading_of(side)}**")
                chosen[side] = _show_variant(side, bundle_names, categories, catalogue["diversity_column"])
        chosen["share"] = st.slider("Users with treatment, of those who take part", 0.05, 0.95, 0.5, 0.05)
        first, second = st.columns(2, gap="medium")
        with first:
            chosen["event"] = st.text_input("What is counted", "click", help="A type of interactions, such as click.")
            chosen["kind"] = st.selectbox("As", list(KINDS), format_func=lambda one: KINDS[one])
            chosen["better"] = st.selectbox("Better is", ["higher", "lower"])
        with second:
            chosen["tolerance"] = st.number_input(
                "Guardrail: it must not be worse by more than (%)",
                0.0,
                99.0,
                5.0,
                1.0,
                format="%g",
                help="0: no guardrail.",
            )
            chosen["exposure_hours"] = st.number_input(
                "Hours in which lists of a user count",
                0.001,
                8_784.0,
                168.0,
                format="%g",
                help="From the first list on.",
            )
            chosen["attribution_hours"] = st.number_input(
                "Hours in which what follows a list counts", 0.001, 8_784.0, 24.0, format="%g"
            )
        if st.form_submit_button("Make a draft", type="primary"):
            _make(chosen)
    if made := st.session_state.pop(_MADE, None):
        st.success(f"{made} is a draft: nobody takes part before it is started.", icon=":material/check_circle:")


def definition_of(chosen: Choices) -> dict[str, Any]:
    """The definition of what was chosen, as the service takes it."""
    share = round(float(chosen["share"]), 4)
    metric = {"name": metric_name(chosen), "event": chosen["event"].strip(), "kind": chosen["kind"]}
    metric["better"] = chosen["better"]
    if chosen["kind"] == "ratio":
        metric["denominator"] = "exposures"
    definition: dict[str, Any] = {
        "variants": [
            {"name": CONTROL, "share": round(1 - share, 4), **variant_of(chosen[CONTROL])},
            {"name": TREATMENT, "share": share, **variant_of(chosen[TREATMENT])},
        ],
        "metrics": [metric],
        "exposure_window_hours": chosen["exposure_hours"],
        "attribution_window_hours": chosen["attribution_hours"],
    }
    if chosen["tolerance"]:
        tolerance = round(chosen["tolerance"] / 100, 6)
        definition["guardrails"] = [
            {"metric": metric["name"], "better": chosen["better"], "relative_tolerance": tolerance}
        ]
    return definition


def variant_of(chosen: Choices) -> dict[str, Any]:
    """The bundle and the options of a variant; what is as it is now is left out."""
    found: dict[str, Any] = {} if chosen["bundle"] == LIVE else {"bundle": chosen["bundle"]}
    options: dict[str, Any] = {}
    if chosen["diversity"] != AS_IT_IS:
        options |= {"diversity": chosen["diversity"], "diversity_weight": round(chosen["weight"], 4)}
        if chosen["column"]:
            options["diversity_column"] = chosen["column"]
    if chosen["k"]:
        options["k"] = int(chosen["k"])
    if chosen["epsilon"]:
        options["exploration"] = {"slots": [int(chosen["slot"]) - 1], "epsilon": round(chosen["epsilon"], 4)}
    return {**found, "list_options": options} if options else found


def metric_name(chosen: Choices) -> str:
    """The name of what is measured, made of the event and how it is counted."""
    event = chosen["event"].strip()
    return {"rate": f"users with {event}", "mean": f"{event}s", "ratio": f"{event}s a list"}[chosen["kind"]]


def experiment_id_of(name: str) -> str:
    """An id made of a name: ``More diverse lists!`` is ``more-diverse-lists``."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64].strip("-")


def options_text(variant: Mapping[str, Any]) -> str:
    """What a variant is, in a few words."""
    parts = [f"bundle {variant['bundle']}"] if variant.get("bundle") else []
    options = variant.get("list_options") or {}
    for name, value in options.items():
        if name == "exploration":
            ranks = ", ".join(str(slot + 1) for slot in value["slots"])
            parts.append(f"explores at rank {ranks} with probability {value['epsilon']:g}")
            continue
        words = _OPTION_WORDS.get(name, name.replace("_", " "))
        parts.append(f"{words} {value if isinstance(value, str | int | float) else json.dumps(value)}")
    return ", ".join(parts) or "as everybody has it"


def _show_variant(
    side: str, bundle_names: Sequence[str], categories: Sequence[str], usual: str | None
) -> dict[str, Any]:
    chosen: dict[str, Any] = {"bundle": st.selectbox("Bundle", [LIVE, *bundle_names], key=f"{side} bundle")}
    chosen["diversity"] = st.selectbox(
        "Diversity",
        [AS_IT_IS, *(_DIVERSITIES if categories else ())],
        format_func=lambda one: f"{one}: {_DIVERSITIES[one]}" if one in _DIVERSITIES else one,
        key=f"{side} diversity",
    )
    with st.expander("More of this variant"):
        chosen["weight"] = st.slider("Weight of diversity", 0.0, 1.0, 0.3, 0.05, key=f"{side} weight")
        # Where nothing is usual the first one is taken, since lists cannot be diverse by no column.
        first = None if usual is not None or not categories else 0
        chosen["column"] = st.selectbox(
            "Diverse by",
            categories,
            index=first,
            format_func=heading_of,
            key=f"{side} column",
            placeholder=f"Usual: {heading_of(usual or '')}",
        )
        chosen["k"] = st.number_input("Length of the list (0: as asked for)", 0, 200, 0, key=f"{side} k")
        chosen["epsilon"] = st.slider(
            "Explores with probability",
            0.0,
            1.0,
            0.0,
            0.05,
            key=f"{side} epsilon",
            help="Needed for off-policy previews.",
        )
        chosen["slot"] = st.number_input("At rank", 1, 100, 5, key=f"{side} slot")
    return chosen


def _make(chosen: Choices) -> None:
    name = chosen["name"].strip()
    experiment_id = chosen["id"].strip() or experiment_id_of(name)
    if not name or not experiment_id or not chosen["event"].strip():
        st.error("A name and what is counted are required.")
        return
    try:
        made = experiments().create(experiment_id, name, definition_of(chosen))
    except ServiceError as error:
        st.error(f"It was not made. {error}")
        return
    st.session_state[_MADE] = made["name"]
    st.session_state["experiment"] = made["experiment_id"]
    st.session_state["open section"] = "Experiments"
    st.rerun()
