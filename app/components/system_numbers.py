"""What the service measures of itself, drawn and tabled."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from app.components.row_names import ROW_PIXELS, names_axis, two_lines
from app.components.states import show_empty
from app.components.tables import show_table
from app.service.metrics import Latency, ServiceNumbers

#: Height of the axis, its title and the legend.
_AXIS_PIXELS = 90


def show_counts(numbers: ServiceNumbers) -> None:
    """Draw how many lists there were, from the cache or degraded, and what waits in the spool."""
    failed = sum(count for status, count in numbers.requests.items() if status.startswith("5"))
    rate = numbers.cache_hit_rate
    waiting = int(numbers.gauges.get("recsys_spool_commands", 0))
    refused = int(numbers.gauges.get("recsys_spool_refused_commands", 0))
    degraded = sum(numbers.degraded.values())
    without = ", ".join(f"{name} {count:,}" for name, count in sorted(numbers.degraded.items()))
    with st.container(horizontal=True, key="counts"):
        _metric("Requests", f"{sum(numbers.requests.values()):,}", f"{failed:,} failed (5xx)")
        _metric("Lists", f"{numbers.num_lists:,}", "for users, sessions, nobody")
        _metric("From the cache", "–" if rate is None else f"{rate:.0%}", f"{numbers.cache.get('hit', 0):,} hits")
        _metric("Degraded lists", f"{degraded:,}", without or "none")
        _metric("Waiting in the spool", f"{waiting:,}", f"{refused:,} refused by the store")
    st.caption("Of all workers, since the service started.")


def show_latencies(title: str, latencies: Mapping[str, Latency], order: Sequence[str] = ()) -> None:
    """Draw and table times, one row for each name.

    Args:
        title: of the chart.
        latencies: by name.
        order: names that come first, in this order.
    """
    st.header(title, anchor=False)
    table = latency_table(latencies, order)
    if table.empty:
        show_empty("Nothing was measured yet.")
        return
    st.altair_chart(_chart(table), width="stretch")
    with st.expander("As a table"):
        shown = table.copy()
        for column in ("Mean", "p50", "p95", "p99"):
            shown[column] = shown[column].map(lambda value: "–" if math.isnan(value) else f"{value:.2f} ms")
        show_table(shown, f"times-{title}")


def latency_table(latencies: Mapping[str, Latency], order: Sequence[str] = ()) -> pd.DataFrame:
    """The times as a table, in milliseconds."""
    names = [name for name in order if name in latencies] + sorted(set(latencies) - set(order))
    rows = [
        [name, one.count, one.mean_ms, *(one.quantile_ms(share) for share in (0.5, 0.95, 0.99))]
        for name, one in ((name, latencies[name]) for name in names)
        if one.count
    ]
    return pd.DataFrame(rows, columns=["Name", "Count", "Mean", "p50", "p95", "p99"])


def receipts_table(receipts: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Receipts of erasures as a table."""
    rows = [
        [
            one["completed_at"][:19].replace("T", " "),
            one["receipt_id"],
            ", ".join(f"{count:,} {table}" for table, count in one["deleted"].items()),
            ", ".join(f"{bundle['name']} until {bundle['until'][:10]}" for bundle in one["bundles"]) or "none",
        ]
        for one in receipts
    ]
    return pd.DataFrame(rows, columns=["Completed (UTC)", "Receipt", "Deleted rows", "Bundles that knew the user"])


def _metric(label: str, value: str, note: str) -> None:
    with st.container(border=True, width=200, gap="xxsmall"):
        st.metric(label, value)
        st.caption(note)


def _chart(table: pd.DataFrame) -> alt.LayerChart:
    names = list(table["Name"])
    long = table.melt(["Name", "Count"], ["p50", "p95"], "Quantile", "Milliseconds").dropna()
    base = alt.Chart(long.assign(Label=two_lines(long["Name"]))).encode(
        y=alt.Y("Label:N", sort=two_lines(names), title=None, axis=names_axis()),
        x=alt.X("Milliseconds:Q", title="milliseconds", axis=alt.Axis(tickCount=6)),
        color=alt.Color("Quantile:N", legend=alt.Legend(orient="top", title=None)),
        tooltip=["Name:N", "Quantile:N", alt.Tooltip("Milliseconds:Q", format=".2f"), "Count:Q"],
    )
    long_bars = base.transform_filter("datum.Quantile == 'p95'").mark_bar(height=12)
    short_bars = base.transform_filter("datum.Quantile == 'p50'").mark_bar(height=12)
    return (long_bars + short_bars).properties(height=ROW_PIXELS * len(names) + _AXIS_PIXELS)
