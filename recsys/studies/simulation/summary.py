"""What became of the lists that were shown to simulated users, by bundle and variant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from recsys.cli.text_table import TextTable


@dataclass(frozen=True, slots=True)
class Visit:
    """A list that was shown, and what came of it.

    Args:
        bundle: that made it.
        variant: of an experiment; None: of none.
        utility: mean probability that its items are liked, which the service is not told.
        best: of the best list that there could be for the user.
        random: of a random list.
        num_items: of the list.
        num_clicks: on its items.
        degraded: whether the service had to do without something.
    """

    bundle: str
    variant: str | None
    utility: float
    best: float
    random: float
    num_items: int
    num_clicks: int
    degraded: bool


@dataclass(frozen=True, slots=True)
class VisitSummary:
    """Visits together; means are over visits.

    Args:
        num_visits: how many there were.
        utility: see :class:`Visit`.
        standard_error: of ``utility``; NaN for one visit.
        best: see :class:`Visit`.
        random: see :class:`Visit`.
        click_rate: clicks for each item that was shown.
        num_degraded: lists that had to do without something.
    """

    num_visits: int
    utility: float
    standard_error: float
    best: float
    random: float
    click_rate: float
    num_degraded: int


def summarise(visits: Iterable[Visit]) -> VisitSummary:
    """Summarise at least one visit."""
    kept = list(visits)
    utilities = np.array([one.utility for one in kept])
    shown = sum(one.num_items for one in kept)
    return VisitSummary(
        num_visits=len(kept),
        utility=float(utilities.mean()),
        standard_error=float(utilities.std(ddof=1) / np.sqrt(len(kept))) if len(kept) > 1 else float("nan"),
        best=float(np.mean([one.best for one in kept])),
        random=float(np.mean([one.random for one in kept])),
        click_rate=sum(one.num_clicks for one in kept) / shown if shown else 0.0,
        num_degraded=sum(one.degraded for one in kept),
    )


def summary_table(visits: Iterable[Visit]) -> TextTable:
    """A row for each bundle and variant, in the order of their first lists."""
    groups: dict[tuple[str, str], list[Visit]] = {}
    for one in visits:
        groups.setdefault((one.bundle, one.variant or "-"), []).append(one)
    table = TextTable("bundle", "variant", "lists", "true utility", "random", "best", "click rate", "degraded")
    for (bundle, variant), group in groups.items():
        found = summarise(group)
        table.add_row(
            bundle,
            variant,
            f"{found.num_visits:,}",
            f"{found.utility:.4f} ± {found.standard_error:.4f}",
            f"{found.random:.4f}",
            f"{found.best:.4f}",
            f"{found.click_rate:.4f}",
            str(found.num_degraded),
        )
    return table
