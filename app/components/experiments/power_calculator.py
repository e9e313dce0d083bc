"""How many users an experiment needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.components.tables import NOTHING, show_table
from app.components.text import plain
from app.service.connection import experiments

RATE, MEAN, CONTROL = "a share of users", "a number for each user", "control of an experiment"
#: Changes beside the one that is asked about, as multiples of it.
_OTHER_CHANGES = (0.5, 1.0, 2.0)


def show_power(known: Sequence[Mapping[str, Any]]) -> None:
    """Draw the calculator.

    Args:
        known: experiments of the service.
    """
    measured = [one for one in known if one["definition"].get("metrics") and one["status"] != "draft"]
    ways = [RATE, MEAN, *([CONTROL] if measured else [])]
    way = st.segmented_control("What is known of today", ways, default=RATE, key="power way") or RATE
    with st.container(horizontal=True):
        today = _show_today(way, measured)
        change = st.number_input("Change to find (%)", -99.0, 500.0, 5.0, 1.0, format="%g", width=200)
        power = st.number_input("Found with probability (%)", 50.0, 99.0, 80.0, 1.0, format="%g", width=220)
        units_per_day = st.number_input("Users a day", 0, 1_000_000_000, 2_000, 100, width=180)
    if change == 0:
        st.info("A change of 0 is never found: say how large it should be.")
        return
    rows = []
    for factor in _OTHER_CHANGES:
        found = experiments().power(power_request(today, change * factor / 100, power / 100, units_per_day))
        if factor == 1.0:
            st.markdown(plain(found["sentence"]))
        rows.append(power_row(change * factor, found))
    names = ["Change", "Users, looked at once", "Days", "Users, at any time", "Days, at any time"]
    show_table(pd.DataFrame(rows, columns=names), "power")


def power_request(today: Mapping[str, Any], change: float, power: float, units_per_day: float) -> dict[str, Any]:
    """What the service is asked; changes are shares, and no users a day leave the days out."""
    body: dict[str, Any] = {**today, "relative_change": round(max(change, -1.0), 6), "power": round(power, 6)}
    return {**body, "units_per_day": units_per_day} if units_per_day else body


def power_row(change: float, found: Mapping[str, Any]) -> list[str]:
    """A row of the table: the change in percent, and what the service said."""
    once, always = found["days_fixed_horizon"], found["days_always_valid"]
    return [
        f"{change:+g} %",
        f"{found['fixed_horizon']:,}",
        NOTHING if once is None else f"{once:,.1f}",
        f"{found['always_valid']:,}",
        NOTHING if always is None else f"{always:,.1f}",
    ]


def _show_today(way: str, measured: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if way == RATE:
        return {
            "rate": st.number_input("Share of users with it (%)", 0.01, 99.99, 10.0, 1.0, format="%g", width=200) / 100
        }
    if way == MEAN:
        mean = st.number_input("Mean", value=3.0, width=140)
        return {"mean": mean, "variance": st.number_input("Variance", 0.000001, value=10.0, width=140)}
    names = {one["experiment_id"]: one for one in measured}
    chosen = st.selectbox("Experiment", list(names), key="power experiment", width=240)
    metrics = [one["name"] for one in names[chosen]["definition"]["metrics"]]
    return {"experiment_id": chosen, "metric": st.selectbox("Metric", metrics, key="power metric", width=220)}
