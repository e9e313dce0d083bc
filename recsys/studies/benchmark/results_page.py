"""Writes the results of a benchmark as a Markdown page with a chart beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from recsys.reporting.result_table import Cell, ResultTable
from recsys.studies.benchmark.hardware import hardware_summary
from recsys.studies.benchmark.tuned_models import TunedModel
from recsys.studies.comparison.compared_runs import ComparedRun
from recsys.studies.comparison.comparing import Comparison, Settings, compare
from recsys.studies.comparison.tables import (
    accuracy_table,
    baseline_table,
    beyond_accuracy_table,
    number,
    seconds,
    segments_table,
)

#: Beyond-accuracy metrics of the first table.
_BEYOND = ("coverage", "novelty")


def write_results(
    path: Path, command: str, rows: Sequence[TunedModel], runs: Sequence[ComparedRun], settings: Settings
) -> Comparison:
    """Write the page and its chart; existing files of these names are replaced.

    Args:
        path: path of the page; the chart has the same name and ends in ``.png``.
        command: command that repeats the benchmark.
        rows: how each run was trained.
        runs: the runs, in the order of ``rows``.
        settings: settings of the comparison, with the baseline.

    Returns:
        The comparison with the baseline.
    """
    comparison = compare(runs, settings)
    beside_best = compare(runs, replace(settings, baseline=comparison.best))
    path.parent.mkdir(parents=True, exist_ok=True)
    chart = path.with_suffix(".png")
    from recsys.studies.comparison.chart import draw  # with Matplotlib, which only this needs

    draw(comparison, chart)
    manifest = runs[0].manifest
    versions = ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
    lines = [
        f"# All models on {manifest.data_name}",
        "",
        f"`{command}`, {date.today().isoformat()}, on {hardware_summary()}; {versions}.",
        "",
        f"{manifest.num_users:,} users, {manifest.num_items:,} items; data {manifest.data_hash[:12]}, split "
        f"{manifest.split_hash[:12]}. Settings were chosen on validation (`configs/tuned`); the models below were then "
        "fitted to training and validation together, and ranked the full catalogue without the known items of each "
        "user. Seconds are those of fitting alone.",
        "",
        f"![{comparison.metric} against coverage, novelty and time]({chart.name})",
        "",
    ]
    tables = [
        results_table(comparison),
        baseline_table(beside_best),
        baseline_table(comparison),
        segments_table(comparison),
        beyond_accuracy_table(comparison),
    ]
    commands = [
        "## Commands",
        "",
        *(f"- {run.label}: `{row.command}`" for row, run in zip(rows, runs, strict=True)),
        "",
    ]
    text = ["\n".join(lines), *(table.markdown() for table in tables), "\n".join(commands)]
    path.write_text("\n".join(text), encoding="utf-8")
    return comparison


def results_table(comparison: Comparison) -> ResultTable:
    """One row for each model, the best first: accuracy with intervals, coverage, novelty and fit time."""
    accuracy = accuracy_table(comparison)
    cells = {row[0].text: row for row in accuracy.rows}
    order = sorted(comparison.runs, key=lambda run: -comparison.accuracy[run.label][comparison.metric].mean)
    rows = []
    for run in order:
        beyond = [Cell(number(comparison.beyond[run.label].get(name, math.nan))) for name in _BEYOND]
        rows.append([*cells[run.label], *beyond, Cell(seconds(run.manifest.fit_seconds))])
    columns = [*accuracy.columns, *(f"{name}@{comparison.settings.k}" for name in _BEYOND), "fit seconds"]
    return ResultTable("Results", ["model", *columns[1:]], rows, accuracy.note)
