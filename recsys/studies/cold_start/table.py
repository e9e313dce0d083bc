"""The results of a cold-start study as one table."""

from __future__ import annotations

import math
from collections.abc import Sequence

from recsys.evaluation.statistics.significance import Estimate
from recsys.reporting.result_table import Cell, ResultTable
from recsys.studies.cold_start.measured import Row

#: Columns: the metric without its cut-off, and its heading; a line break keeps the column narrow.
_COLUMNS = {
    "ndcg": "NDCG@{k}",
    "recall": "recall@{k}",
    "item_warmth=cold/recall": "recall@{k},\nnew items",
    "cold_catalogue/recall": "recall@{k},\namong new items",
}

#: Protocols that hold out whole items; elsewhere an item is new by chance.
_WITH_NEW_ITEMS = ("cold_items", "cold_both")

_NOTE = (
    "Means over held-out users, with 95 % bootstrap intervals over users. The first three numbers are from the ranking "
    "of the full catalogue: for all held-out items, and for the new ones among them. For the last one only new items, "
    "which were not in training, are ranked. Bold: the best of a block."
)


def cold_start_table(rows: Sequence[Row], k: int) -> ResultTable:
    """One row for each protocol, number of fold-in interactions and model; models of a block are compared.

    Args:
        rows: all rows.
        k: cut-off of the metrics.
    """
    measures = {f"{name}@{k}": title.format(k=k) for name, title in _COLUMNS.items()}
    lines = []
    for protocol, num_fold_in in dict.fromkeys((row.protocol, row.num_fold_in) for row in rows):
        inside = [row for row in rows if (row.protocol, row.num_fold_in) == (protocol, num_fold_in)]
        shown = [name for name in measures if "cold" not in name or protocol in _WITH_NEW_ITEMS]
        found = {row.model: {name: row.estimates[name] for name in shown if name in row.estimates} for row in inside}
        best = {name: max((of[name].mean for of in found.values() if name in of), default=math.nan) for name in shown}
        for row in inside:
            cells = [Cell(row.model), Cell(protocol), Cell("" if num_fold_in is None else str(num_fold_in))]
            if row.cannot is not None:
                lines.append([*cells, Cell("-"), Cell("cannot"), *[Cell("-")] * (len(measures) - 1)])
                continue
            users = max((estimate.num_users for estimate in row.estimates.values()), default=0)
            of_row = found[row.model]
            lines.append([*cells, Cell(f"{users:,}"), *(_cell(of_row.get(name), best.get(name)) for name in measures)])
    reasons = {f"{row.model} cannot take part in {row.protocol}: it {row.cannot}." for row in rows if row.cannot}
    columns = ["model", "protocol", "fold-in", "users", *measures.values()]
    return ResultTable("Cold start", columns, lines, " ".join([_NOTE, *sorted(reasons)]), num_names=3)


def _cell(estimate: Estimate | None, best: float | None) -> Cell:
    if estimate is None:
        return Cell("-")
    interval = f"[{_number(estimate.low)}, {_number(estimate.high)}]" if math.isfinite(estimate.low) else ""
    return Cell(_number(estimate.mean), interval, bold=estimate.mean == best)


def _number(value: float) -> str:
    return f"{value:.4f}".removeprefix("0")
