"""What an experiment has shown so far: intervals that hold at every look, and what there is to worry about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from app.components.experiments.experiment_numbers import looks_table, told_looks, variants_table
from app.components.states import show_empty
from app.components.tables import show_as_table, show_table
from app.components.text import plain
from app.service.connection import experiments

#: Looks of a chart, at most.
NUM_LOOKS = 40
#: Hours between two looks, by what people call it.
LOOK_HOURS = {"day": 24.0, "hour": 1.0, "minute": 1 / 60}
_BOXES = {"better": "success", "worse": "error"}


def show_results(experiment: Mapping[str, Any]) -> None:
    """Draw and table the results of an experiment.

    Args:
        experiment: of the service.
    """
    if experiment["status"] == "draft":
        show_table(variants_table(experiment["definition"]), "variants")
        show_empty("It has not begun: start it, and results come when users have seen lists.")
        return
    per = st.segmented_control("A look each", list(LOOK_HOURS), default="day", key="look hours") or "day"
    found = experiments().results(experiment["experiment_id"], NUM_LOOKS, LOOK_HOURS[per])
    show_table(variants_table(experiment["definition"], found["num_units"]), "variants")
    _show_worries(found)
    _show_rollout(found["rollout"])
    left_out = {"still within their windows": "num_unfinished", "with several variants": "num_crossed"}
    told = [f"{words}: {found[count]:,}" for words, count in left_out.items() if found[count]]
    if told:
        st.caption(f"Users who do not count (yet), {'; '.join(told)}.")
    if not found["comparisons"]:
        show_empty("Nothing can be compared yet: no user of each variant has been through both windows.")
        return
    for variant, compared in found["comparisons"].items():
        for one in compared:
            _show_comparison(variant, one, found["looks"])


def _show_worries(found: Mapping[str, Any]) -> None:
    ratio = found["sample_ratio"]
    if ratio["mismatch"]:
        st.error(
            f"**The variants do not have the users that they should.** {plain(ratio['sentence'])}",
            icon=":material/warning:",
        )
    else:
        st.caption(f"Sample ratio: {plain(ratio['sentence'])}")
    for variant, checked in found["guardrails"].items():
        for one in checked:
            words = f"{plain(variant)}. {plain(one['sentence'])}"
            if one["crossed"]:
                st.error(f"**A guardrail is crossed** by {words}", icon=":material/fence:")
            else:
                st.caption(f"Of {words}")


def _show_rollout(rollout: Mapping[str, Any] | None) -> None:
    if rollout is None:
        return
    place = f"step {rollout['step'] + 1} of {len(rollout['steps'])}, {rollout['treatment_share']:.0%} of all users"
    st.info(f"Rollout {plain(rollout['status'])}: {place}. {plain(rollout['reason'])}", icon=":material/stairs:")


def _show_comparison(variant: str, one: Mapping[str, Any], looks: Sequence[Mapping[str, Any]]) -> None:
    st.header(f"{plain(one['metric'])}: {plain(variant)} less control", anchor=False)
    getattr(st, _BOXES.get(one["verdict"], "info"))(
        f"**{plain(one['verdict'].capitalize())}.** {plain(one['sentence'])}"
    )
    table = looks_table(looks, variant, one["metric"])
    drawn = table.dropna(subset=["Low", "High"])
    if drawn.empty:
        show_empty("There is no interval yet: it is too early.")
    else:
        st.altair_chart(_chart(drawn), width="stretch")
        st.caption("Line: the difference. The band holds at all looks together with 95 %: once it leaves 0 out, stop.")
    show_as_table(told_looks(table), f"looks-{variant}-{one['metric']}")


def _chart(table: pd.DataFrame) -> alt.LayerChart:
    shown = table.assign(At=pd.to_datetime(table["At"], format="ISO8601"))
    # A tick each whole minute at most: the labels do not tell seconds.
    moments = alt.Axis(format="%d %b %H:%M", tickCount=6, tickMinStep=60_000, labelOverlap=True)
    base = alt.Chart(shown).encode(x=alt.X("At:T", title="UTC", axis=moments, scale=alt.Scale(type="utc")))
    told = [
        alt.Tooltip("utcyearmonthdatehoursminutes(At):T", format="%d %b %H:%M", title="At (UTC)"),
        "Users",
        *(alt.Tooltip(name, format=".4f") for name in ("Difference", "Low", "High")),
        "Verdict",
    ]
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(strokeDash=[4, 4], color="#8b8b95").encode(y="zero:Q")
    band = base.mark_area(opacity=0.25).encode(y=alt.Y("Low:Q", title="difference with control"), y2="High:Q")
    edges = base.mark_rule(opacity=0.5, color="#8b8b95").encode(y="Low:Q", y2="High:Q", tooltip=told)
    line = base.mark_line(point=alt.OverlayMarkDef(filled=True, size=60)).encode(y="Difference:Q", tooltip=told)
    return (band + zero + edges + line).properties(height=340)
