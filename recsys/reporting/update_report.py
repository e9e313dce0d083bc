"""The page of an updated run: its lineage, and what refits beside updates have shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from recsys.cli.whole_files import whole_file
from recsys.reporting.result_table import Cell, ResultTable, estimate_text
from recsys.runs.updating.lineage import Ancestor

PAGE, PICTURE = "update.md", "drift.png"

#: What is shown of the test rows.
_METRIC = "test/ndcg@10"


def lineage_table(runs: Sequence[Ancestor]) -> ResultTable:
    """One row for each run of a lineage, the oldest first."""
    columns = ["run", "new\nrows", "users", "items", "seconds", "ndcg@10\non test", "refit less\nupdate"]
    rows = [_row(run) for run in runs]
    return ResultTable("Lineage", columns, rows)


def write_update_report(runs: Sequence[Ancestor], directory: Path) -> Path:
    """Write the page, with a picture where an update was compared with a refit.

    Args:
        runs: the lineage of the run, the oldest first.
        directory: of the run.
    """
    newest = runs[-1].record
    lines = ["# Update", ""]
    if newest is not None:
        lines += [f"{newest.how}. The run is update {newest.updates} of its lineage.", ""]
    lines += [lineage_table(runs).markdown(), ""]
    checks = [(run.record.updates, run.record.drift) for run in runs if run.record and run.record.drift]
    if checks:
        from recsys.reporting.drift_chart import draw_drift

        draw_drift(checks, directory / PICTURE)
        lines += [f"![Refits beside updates]({PICTURE})", ""]
        lines += [f"- update {number}: {check.in_words()}" for number, check in checks]
    with whole_file(directory / PAGE) as path:
        path.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    return directory / PAGE


def _row(run: Ancestor) -> list[Cell]:
    manifest, record, metrics = run.manifest, run.record, run.metrics
    measured = compared = Cell("")
    if _METRIC in metrics:
        low, high = (metrics.get(f"{_METRIC}_{end}", math.nan) for end in ("low", "high"))
        value, _, interval = estimate_text(metrics[_METRIC], (low, high)).partition(" ")
        measured = Cell(value, interval)
    if record is not None and (check := record.drift) is not None:
        taken = ", refit taken" if check.takes_refit else ""
        compared = Cell(f"{check.difference:+.4f}", f"[{check.low:+.4f}, {check.high:+.4f}]{taken}")
    return [
        Cell(run.path.name),
        Cell("" if record is None else f"{record.num_fresh:,}"),
        Cell(f"{manifest.num_users:,}"),
        Cell(f"{manifest.num_items:,}"),
        Cell(f"{manifest.fit_seconds:.1f}"),
        measured,
        compared,
    ]
