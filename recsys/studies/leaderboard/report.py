"""The page of a leaderboard: ranking, tests, costs, what was left out, and the commands to go on with."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from recsys.cli.commands import command_line
from recsys.reporting.result_table import Cell, ResultTable
from recsys.studies.benchmark.hardware import hardware_summary
from recsys.studies.comparison.comparing import Comparison
from recsys.studies.comparison.tables import (
    accuracy_table,
    baseline_table,
    beyond_accuracy_table,
    number,
    pairs_table,
    seconds,
    segments_table,
)
from recsys.studies.leaderboard.final_runs import BestOfModel
from recsys.studies.leaderboard.jobs import DataFacts
from recsys.studies.leaderboard.result_directory import TUNING, FinalRun, ResultDirectory
from recsys.studies.leaderboard.standings import pairs_matrix, places, verdict

#: By how many trials a study grows when it is gone on with.
MORE_TRIALS = 30


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """All that a page is written from.

    Args:
        data: the data and the models.
        command: repeats it.
        directory: of the results.
        comparison: of the tested runs; their labels are the names of the models.
        best: the best settings of each model that was tried with success.
        tested: the tested run of each of them.
        left_out: why a model is not in the ranking, by its name.
        metric: what settings were chosen by.
        search_seconds: of all trials together.
        elapsed_seconds: of everything up to the page, sittings that were interrupted included.
    """

    data: DataFacts
    command: str
    directory: ResultDirectory
    comparison: Comparison
    best: Sequence[BestOfModel]
    tested: Mapping[str, FinalRun]
    left_out: Mapping[str, str]
    metric: str
    search_seconds: float
    elapsed_seconds: float

    @property
    def model_of(self) -> dict[str, BestOfModel]:
        """The model of each label."""
        by_run = {self.tested[model.name].run: model for model in self.best if self.tested[model.name].run}
        return {run.label: by_run[str(run.path)] for run in self.comparison.runs}


def ranking_table(board: Leaderboard) -> ResultTable:
    """One row for each model, the best first; narrow enough for 80 columns."""
    accuracy = {row[0].text: row for row in accuracy_table(board.comparison).rows}
    measures = list(next(iter(board.comparison.accuracy.values())))
    shown = measures.index(board.comparison.metric) + 1
    fits = {run.label: run.manifest.fit_seconds for run in board.comparison.runs}
    rows = []
    for place in places(board.comparison):
        model = board.model_of[place.label]
        memory = board.tested[model.name].memory_gigabytes
        rows.append(
            [
                Cell(place.label),
                Cell(place.text),
                accuracy[place.label][shown],
                Cell(seconds(fits[place.label])),
                Cell("-" if memory is None else f"{memory:.1f}"),
                Cell(str(len(model.standing.trials))),
            ]
        )
    tests = len(board.comparison.pairs) or 1
    note = (
        f"Means over {len(board.comparison.runs[0].per_user):,} test users with {_confidence(board.comparison)} % "
        "intervals. Place: from behind all that are significantly better to before all that are significantly worse "
        f"(paired permutation tests, corrected for {tests}). GB: the most memory of the training's whole process."
    )
    columns = ["model", "place", board.comparison.metric, "fit\nseconds", "GB", "trials"]
    return ResultTable(f"Ranking on {board.data.name}", columns, rows, note)


def cost_table(board: Leaderboard) -> ResultTable:
    """What each model took, and what its settings had on validation."""
    fits = {run.label: run.manifest.fit_seconds for run in board.comparison.runs}
    rows = []
    for label, model in board.model_of.items():
        failed = sum(trial.result is None for trial in model.standing.trials)
        memory = board.tested[model.name].memory_gigabytes
        trials = f"{len(model.standing.trials)}" + (f" ({failed} failed)" if failed else "")
        best = model.standing.best
        trials += " (cut short)" if best is not None and best.result is not None and best.result.cut_short else ""
        rows.append(
            [
                Cell(label),
                Cell(trials),
                Cell(seconds(model.standing.spent)),
                Cell(number(model.standing.value)),
                Cell(seconds(fits[label])),
                Cell("-" if memory is None else f"{memory:.2f}"),
            ]
        )
    note = (
        f"Trials were measured by {board.metric} on {board.data.num_valid:,} held-out interactions; the first of each "
        "model has its defaults. Cut short: its best trial was stopped when its share of the time was up; with more "
        "minutes it may be better. GB: the most memory of the process that trained and tested."
    )
    return ResultTable("Costs", ["model", "trials", "search seconds", board.metric, "fit seconds", "GB"], rows, note)


def going_on(board: Leaderboard) -> list[tuple[str, str]]:
    """What to do next with the first model: what for, and the command."""
    first = board.model_of[places(board.comparison)[0].label]
    run = board.tested[first.name].run
    found = [
        ("recommend with the winner", f"{command_line('recommend')} run={run} k=10"),
        ("serve the winner", f"{command_line('export')} run={run} output=bundles/{first.name}_{board.data.name}"),
        ("train the winner again", first.settings.command),
    ]
    searched = [model for model in board.best if model.standing.entrant.searchable]
    if searched:
        longer = first if first in searched else searched[0]
        found.append((f"tune {longer.name} longer", tune_command(board, longer)))
    return found


def tune_command(board: Leaderboard, model: BestOfModel) -> str:
    """The command that goes on with the study of a model."""
    arguments = [f"model={model.name}", *board.data.overrides, f"metric={board.metric}"]
    output = board.directory.path / TUNING / model.name
    own = [f"output={output}", f"trials={len(model.standing.trials) + MORE_TRIALS}"]
    return f"{command_line('tune')} {shlex.join([*arguments, *own])}"


def write_report(board: Leaderboard) -> Path:
    """Write the page and its chart; returns the path of the page."""
    path = board.directory.report
    chart = path.with_suffix(".png")
    comparison = board.comparison
    from recsys.studies.comparison.chart import draw  # with Matplotlib, which only this needs

    draw(comparison, chart)
    manifest = comparison.runs[0].manifest
    versions = ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
    lines = [
        f"# Which model for {board.data.name}?",
        "",
        verdict(comparison),
        "",
        f"`{board.command}`, {date.today().isoformat()}, on {hardware_summary()}; {versions}.",
        "",
        f"{manifest.num_users:,} users, {manifest.num_items:,} items; data {manifest.data_hash[:12]}, split "
        f"{manifest.split_hash[:12]}. A budget of {board.directory.minutes:g} minutes of wall time was spread over the "
        f"models by successive halving; {board.elapsed_seconds:.0f} s were spent, {board.search_seconds:.0f} s of them "
        f"on trials. The best settings of each by {board.metric} were fitted to training and validation together, and "
        "tested once. More time may change the order of the models that need many trials.",
        "",
        *_known_before(comparison),
        f"![{comparison.metric} of each model, against coverage, novelty and time]({chart.name})",
        "",
    ]
    tables = [
        ranking_table(board),
        accuracy_table(comparison),
        pairs_matrix(comparison),
        pairs_table(comparison, comparison.best) if comparison.pairs else baseline_table(comparison),
        segments_table(comparison),
        beyond_accuracy_table(comparison),
        cost_table(board),
    ]
    text = ["\n".join(lines), *(table.markdown() for table in tables), "\n".join(_closing(board))]
    path.write_text("\n".join(text), encoding="utf-8")
    return path


def _closing(board: Leaderboard) -> list[str]:
    """The sections without a table."""
    left_out = [f"- {name}: {reason}" for name, reason in board.left_out.items()]
    return [
        *(["## Left out", "", *left_out, ""] if left_out else []),
        "## To go on",
        "",
        *(f"- {purpose}: `{command}`" for purpose, command in going_on(board)),
        "",
        "## Commands",
        "",
        "Best settings, and how to search for better ones:",
        "",
        *(f"- {label}: `{model.settings.command}`" for label, model in board.model_of.items()),
        "",
        *(
            f"- {label}: `{tune_command(board, model)}`"
            for label, model in board.model_of.items()
            if model.standing.entrant.searchable
        ),
        "",
    ]


def _known_before(comparison: Comparison) -> list[str]:
    """What share of the test was known before; nothing where it is zero."""
    share = comparison.runs[0].metrics.get("test/known_share", 0.0)
    if share == 0:
        return []
    said = f"{share:.1%} of the test pairs of a user and an item were known before"
    return [f"{said}; they are tested only with evaluation.repeats=keep.", ""]


def _confidence(comparison: Comparison) -> str:
    return f"{100 * (1 - comparison.settings.alpha):g}"
