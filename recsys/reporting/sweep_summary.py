"""The end of a sweep: one table of all its combinations.

Hydra calls :class:`SweepSummary` when the last combination has ended.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from recsys.cli.console import console
from recsys.cli.whole_files import whole_file
from recsys.errors import RunError
from recsys.reporting.result_table import Cell, ResultTable
from recsys.runs.run_directory import HISTORY, SELECTION, RunDirectory
from recsys.runs.sweep import JOBS

SUMMARY = "summary.csv"

#: Metrics of the test that are shown, those of them that the runs have.
_SHOWN = ("test/ndcg@10", "test/recall@10", "test/rmse")


@dataclass(frozen=True, slots=True)
class SweptRun:
    """One combination of a sweep.

    Args:
        overrides: of this combination alone, as on a command line.
        run: its run directory; None where it was not finished.
        metrics: of the run.
        monitor: the monitored metric.
        monitored: its best value on validation; NaN for a model without epochs.
    """

    overrides: tuple[str, ...]
    run: Path | None
    metrics: dict[str, float]
    monitor: str
    monitored: float


class SweepSummary(Callback):
    """Prints the table and writes it to ``summary.csv`` in the directory of the sweep."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra after the last combination."""
        directory = Path(config.hydra.sweep.dir)
        combinations = read_combinations(directory)
        if combinations:
            write_summary(combinations, directory / SUMMARY)
            console.print(summary_table(combinations).for_terminal())
            console.print(f"sweep: {directory}", soft_wrap=True)


def read_combinations(directory: Path) -> list[SweptRun]:
    """The combinations of a sweep in the order in which they were begun; those that made no run are not known.

    Args:
        directory: of the sweep.
    """
    found = []
    for file in (directory / JOBS).glob("*.json"):
        content = json.loads(file.read_text(encoding="utf-8"))
        found.append((Path(content["run"]), list(content["overrides"])))
    found.sort(key=lambda job: job[0].name)
    shared = set.intersection(*(set(overrides) for _, overrides in found)) if len(found) > 1 else set()
    return [_combination(run, tuple(text for text in overrides if text not in shared)) for run, overrides in found]


def _combination(path: Path, overrides: tuple[str, ...]) -> SweptRun:
    run = RunDirectory(path)
    try:
        if not run.is_finished:
            return SweptRun(overrides, None, {}, "", math.nan)
        metrics, monitor = run.metrics(), str(OmegaConf.select(run.config(), "fitting.monitor") or "")
    except RunError:  # damaged since
        return SweptRun(overrides, None, {}, "", math.nan)
    history = next((place / HISTORY for place in (path / SELECTION, path) if (place / HISTORY).is_file()), None)
    values = [] if history is None else _column(history, monitor)
    return SweptRun(overrides, path, metrics, monitor, max(values, default=math.nan))


def _column(path: Path, name: str) -> list[float]:
    """The numbers of a column of a CSV file; none where it is not there."""
    with path.open(encoding="utf-8", newline="") as file:
        return [float(row[name]) for row in csv.DictReader(file) if row.get(name)]


def best_of(combinations: Sequence[SweptRun]) -> tuple[SweptRun | None, str]:
    """The best combination, and the name of what decided; None where nothing can be compared.

    The monitored metric on validation decides where every finished run has it and it is the same; otherwise the first
    shown metric of the test that all have, which is then no honest estimate of the best one any more.
    """
    done = [combination for combination in combinations if combination.run is not None]
    if len(done) < 2:
        return None, ""
    if len({combination.monitor for combination in done}) == 1 and not any(math.isnan(c.monitored) for c in done):
        return max(done, key=lambda combination: combination.monitored), done[0].monitor
    for name in _SHOWN:
        if all(name in combination.metrics for combination in done):
            sign = -1 if name.endswith("rmse") else 1
            return max(done, key=lambda combination: sign * combination.metrics[name]), name
    return None, ""


def summary_table(combinations: Sequence[SweptRun]) -> ResultTable:
    """One row for each combination, its run directory below it; the best is bold."""
    best, decided = best_of(combinations)
    tested = [name for name in _SHOWN if any(name in combination.metrics for combination in combinations)]
    monitors = list(dict.fromkeys(combination.monitor for combination in combinations if combination.monitor))
    validated = len(monitors) == 1 and any(not math.isnan(combination.monitored) for combination in combinations)
    rows = []
    for combination in combinations:
        bold = combination is best
        values = [combination.monitored] if validated else []
        values += [combination.metrics.get(name, math.nan) for name in tested]
        name = " ".join(combination.overrides) or "as configured"
        place = "not finished" if combination.run is None else str(combination.run)
        rows.append(
            [Cell(f"{'* ' if bold else ''}{name}", place, bold), *(Cell(_number(v), bold=bold) for v in values)]
        )
    measured = [*(monitors if validated else []), *tested]
    columns = ["combination, run", *(name.replace("/", "/\n") for name in measured)]
    note = ""
    if best is not None:
        note = f"* best by {decided}."
        if decided.startswith("test/"):
            note += " Not every run has a value on validation; what is chosen by the test looks better than it is."
    return ResultTable(f"Sweep, {len(combinations)} combinations", columns, rows, note)


def write_summary(combinations: Sequence[SweptRun], path: Path) -> None:
    """Write one row for each combination: its overrides, the monitored metric, all metrics of the test, the run."""
    rows = []
    for combination in combinations:
        settings = dict(text.partition("=")[::2] for text in combination.overrides)
        monitored = {combination.monitor: combination.monitored} if combination.monitor else {}
        rows.append({**settings, **monitored, **combination.metrics, "run": combination.run or ""})
    names = list(dict.fromkeys(name for row in rows for name in row))
    with whole_file(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def _number(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "-"
