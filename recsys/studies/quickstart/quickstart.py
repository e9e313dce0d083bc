"""From a person's own tables to a bundle: data, the best of a few fast models, a model of everything, an export.

All that is made lies in one directory::

    quickstart/2026-01-31_12-00-00_shop/
        prepared/   the data, checked        runs/   the training       bundles/   what serves
        log/        what each step said      var/    the service that runs on them
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.cli.command_line import id_setting
from recsys.cli.overrides import quoted_text
from recsys.errors import RunError
from recsys.reporting.result_table import Cell, ResultTable, estimate_text
from recsys.runs.run_directory import METRICS
from recsys.runs.run_manifest import CARRIED_PREFIX
from recsys.studies.quickstart.columns import ColumnChoice
from recsys.studies.retraining.command_stage import run_command_stage
from recsys.studies.selection.candidate import Candidate, read_candidates
from recsys.studies.selection.selection import Selection
from recsys.studies.selection.validation import choose_on_validation

_SHOWN_METRICS = ("ndcg@10", "recall@10", "precision@10")


@dataclass(frozen=True, slots=True)
class Tables:
    """A person's own tables.

    Args:
        interactions: who interacted with what.
        items: what there is; None: no such table.
        columns: which columns are what.
        filters: that all lists keep to, as requests have them, such as what is in stock.
        header: of the interactions: False where there is none, or the names of the columns; None: it is there.
    """

    interactions: Path
    items: Path | None
    columns: Sequence[ColumnChoice]
    filters: Mapping[str, Mapping[str, Sequence[bool]]]
    header: bool | Sequence[str] | None = None

    @property
    def name(self) -> str:
        """Of the data: that of the file."""
        return self.interactions.name.partition(".")[0]

    def column(self, role: str) -> str | None:
        """The column of a role; None where it has none."""
        return next((choice.column for choice in self.columns if choice.role == role), None)

    def settings(self) -> list[str]:
        """Settings of a training on them, as ``scripts/train.py`` takes them."""
        settings = ["data=table", f"data.name={id_setting(self.name)}"]
        settings.append(f"data.interactions={quoted_text(str(self.interactions.absolute()))}")
        if self.items is not None:
            settings.append(f"data.items={quoted_text(str(self.items.absolute()))}")
        if self.header is not None:
            names = self.header if isinstance(self.header, bool) else [id_setting(name) for name in self.header]
            settings.append(f"data.header={{interactions: {_listed(names)}}}")
        for choice in self.columns:
            settings.append(
                f"data.columns.{choice.role}={'null' if choice.column is None else id_setting(choice.column)}"
            )
        # What a first look forgives; preparation reports each.
        settings += ["preparation.invalid_rows=drop", "preparation.strip_ids=true", "preparation.null_ids=missing"]
        # Without ratings a row is an event, and the same thing may be bought again; a second rating replaces the first.
        if self.column("rating") is None:
            settings.append("preparation.repeats=keep")
        if self.column("timestamp") is not None:
            settings.append("split=leave_last_out")
        return settings


@dataclass(frozen=True, slots=True)
class QuickstartResult:
    """What came of it.

    Args:
        selection: of the model.
        run: the training of the best one.
        bundle: that serves it.
        seconds: of each step, by its name.
    """

    selection: Selection
    run: Path
    bundle: Path
    seconds: Mapping[str, float]


class Quickstart:
    """Makes a bundle of tables.

    Args:
        directory: for all that is made.
        tables: the data.
        models: to choose from, each a name or settings.
        limit_seconds: that each of them may take.
        say: told what is done.
    """

    def __init__(
        self,
        directory: Path,
        tables: Tables,
        models: Sequence[str],
        limit_seconds: float,
        say: Callable[[str], None],
    ) -> None:
        self._directory, self._tables, self._say = directory, tables, say
        self._candidates = read_candidates(models, "models")
        self._limit_seconds = limit_seconds
        self._seconds: dict[str, float] = {}

    def run(self) -> QuickstartResult:
        """Go the whole way.

        Raises:
            RecsysError: a step failed; what was made stays.
        """
        (self._directory / "log").mkdir(parents=True, exist_ok=True)
        paths = [f"paths.{name}_dir={quoted_text(str(self._directory / name))}" for name in ("prepared", "runs")]
        shared = [*self._tables.settings(), *paths]
        data = [one for one in shared if not one.startswith(("split=", "paths.runs_dir="))]
        self._timed("data", lambda: self._stage("prepare", data))
        selection = self._timed("choosing a model", lambda: self._choose([*shared, "tracking=none"]))
        best = selection.best.candidate
        self._say(f"{best.name} is best on validation; it is tested, and then fitted on everything")
        training = [*shared, *best.settings, "refit=all", "show_users=0", "tracking=none"]
        run = self._timed("training", lambda: self._stage("train", training))
        self._say("export")
        bundle = self._timed("export", lambda: self._stage("export", self._export_settings(run)))
        return QuickstartResult(selection, run, bundle, self._seconds)

    def _choose(self, shared: Sequence[str]) -> Selection:
        def say(candidate: Candidate) -> None:
            self._say(f"{candidate.name} on validation")

        return choose_on_validation(shared, self._candidates, limit_seconds=self._limit_seconds, say=say)

    def _export_settings(self, run: Path) -> list[str]:
        output = self._directory / "bundles" / self._tables.name
        settings = [f"run={quoted_text(str(run))}", f"output={quoted_text(str(output))}"]
        if self._tables.filters:
            filters = (
                f"{name}: {json.dumps(rule).replace(chr(34), '')}" for name, rule in self._tables.filters.items()
            )
            settings.append(f"filters={{{', '.join(filters)}}}")
        return settings

    def _stage(self, name: str, arguments: Sequence[str]) -> Path:
        return run_command_stage(name, arguments, self._directory / "log" / f"{name}.txt")

    def _timed(self, name: str, step: Callable[[], Any]) -> Any:
        began = time.monotonic()
        result = step()
        self._seconds[name] = time.monotonic() - began
        return result


def _listed(value: bool | Sequence[str]) -> str:
    return str(value).lower() if isinstance(value, bool) else f"[{','.join(value)}]"


def holdout_table(run: Path, model: str) -> ResultTable:
    """The chosen model on the test part beside the most popular items, with intervals.

    Args:
        run: the training, with ``refit=all``.
        model: what it is called.

    Raises:
        RunError: the run has no such numbers.
    """
    metrics = json.loads((run / METRICS).read_text(encoding="utf-8"))
    names = [name for name in _SHOWN_METRICS if f"{CARRIED_PREFIX}test/{name}" in metrics]
    if not names:
        raise RunError(f"{run / METRICS} must have the numbers of the test part, but does not. Train again.")
    rows = []
    for label, part in (("most popular", "baseline/"), (model, "")):
        cells = [_interval(metrics, f"{CARRIED_PREFIX}{part}test/{name}") for name in names]
        if all(cell.text for cell in cells):  # popularity has no baseline
            rows.append([Cell(label), *cells])
    note = "On interactions that neither choosing nor training has seen; 95 % bootstrap intervals over users."
    return ResultTable("Test", ["model", *names], rows, note)


def _interval(metrics: Mapping[str, float], key: str) -> Cell:
    value, low, high = (metrics.get(f"{key}{end}", math.nan) for end in ("", "_low", "_high"))
    return Cell("" if math.isnan(value) else estimate_text(value, (low, high)))
