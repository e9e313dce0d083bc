"""The bundles that there are: how they were measured, where their items lie, and which one answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import pandas as pd
import streamlit as st

from app.components.bundles.deployments import bundles_table, show_deployments, show_live_bundle
from app.components.bundles.evaluation_charts import show_accuracy, show_learning_curves, show_segments
from app.components.bundles.evaluations import of_same_data
from app.components.bundles.item_map import show_item_map
from app.components.states import page, show_empty
from app.components.tables import show_table
from app.components.text import plain
from app.service.connection import bundles, evaluation
from app.service.errors import ServiceRefused

_SECTIONS = ("Accuracy", "Segments", "Learning curves", "Map of items", "Runs", "History")


@page
def draw() -> None:
    """Draw the page."""
    st.title("Models", anchor=False)
    overview = bundles().overview()
    if not overview["available"]:
        show_empty("There is no bundle beside the live one. scripts/export.py makes one of a run.")
        return
    evaluations, damaged = _evaluations(overview["available"])
    show_live_bundle(overview)
    show_table(bundles_table(overview, evaluations), "bundles")
    for name, error in damaged.items():
        st.warning(f"{plain(name)} cannot be read: {plain(error)}")
    section = st.segmented_control("Show", _SECTIONS, default=_SECTIONS[0], key="section", label_visibility="collapsed")
    _show(section or _SECTIONS[0], overview, evaluations)


def _evaluations(names: Sequence[str]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Of each bundle, and why some cannot be read."""
    found, damaged = [], {}
    for name in names:
        try:
            found.append(evaluation(name))
        except ServiceRefused as error:
            damaged[name] = str(error)
    return found, damaged


def _show(section: str, overview: Mapping[str, Any], evaluations: Sequence[Mapping[str, Any]]) -> None:
    live = next((one["name"] for one in overview["loaded"] if one["live"]), None)
    if section == "History":
        show_deployments(overview["deployments"])
    elif section == "Map of items":
        names = [one["bundle"] for one in evaluations]
        first = names.index(live) if live in names else 0
        chosen = st.selectbox("Bundle", names, first, key="mapped bundle", width=280)
        show_item_map(chosen)
    elif section == "Runs":
        _show_runs(evaluations)
    else:
        compared = _of_chosen_data(evaluations, live)
        {"Accuracy": show_accuracy, "Segments": show_segments, "Learning curves": show_learning_curves}[section](
            compared
        )


def _of_chosen_data(evaluations: Sequence[Mapping[str, Any]], live: str | None) -> list[Mapping[str, Any]]:
    """Those that can be compared: measured on the same data, at first on those of the live bundle."""
    labels = {one["data_hash"]: f"{one['data']} ({one['num_items']:,} items)" for one in evaluations}
    hashes = list(labels)
    of_live = next((one["data_hash"] for one in evaluations if one["bundle"] == live), None)
    first = hashes.index(of_live) if of_live in hashes else 0
    chosen = hashes[first] if hashes else ""
    if len(hashes) > 1:
        chosen = st.selectbox(
            "Measured on",
            hashes,
            first,
            format_func=lambda one: f"{labels[one]}, {one[:8]}",
            width=360,
            help="What was measured on other data cannot be compared.",
        )
    return of_same_data(evaluations, chosen)


def _show_runs(evaluations: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        [
            PurePath(model["run"]).name,
            model["model"],
            one["bundle"],
            len(model["learning_curve"]) or "–",
            "before it was trained on everything" if model["before_refit"] else "this model",
        ]
        for one in evaluations
        for model in one["models"]
    ]
    show_table(pd.DataFrame(rows, columns=["Run", "Model", "Bundle", "Epochs", "Measured"]), "runs")


draw()
