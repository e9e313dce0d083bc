"""Tables of a comparison. Nothing is printed here."""

from __future__ import annotations

import math

from recsys.evaluation.segments import ITEM_POPULARITY, USER_ACTIVITY
from recsys.evaluation.statistics.significance import narrow_intervals_note
from recsys.evaluation.target_segments import TARGET
from recsys.reporting.result_table import Cell, ResultTable
from recsys.studies.comparison.comparing import BEYOND_ACCURACY, Comparison, PairedComparison

#: Names of the tests and corrections in a sentence.
_TESTS = {
    "permutation": "Paired permutation test (10,000 sign flips)",
    "t": "Paired t-test",
    "wilcoxon": "Wilcoxon signed-rank test",
}
_CORRECTIONS = {"holm": "Holm's", "benjamini_hochberg": "Benjamini and Hochberg's", "none": "no"}


def tables(comparison: Comparison) -> list[ResultTable]:
    """All tables, in the order of reading."""
    found = [accuracy_table(comparison), baseline_table(comparison)]
    if comparison.pairs:
        found.append(pairs_table(comparison))
    return [*found, segments_table(comparison), beyond_accuracy_table(comparison)]


def accuracy_table(comparison: Comparison) -> ResultTable:
    """Means and intervals; the best mean of each metric is bold."""
    measures = list(next(iter(comparison.accuracy.values())))
    best = {name: max(of_run[name].mean for of_run in comparison.accuracy.values()) for name in measures}
    rows = []
    for label, of_run in comparison.accuracy.items():
        cells = [
            Cell(
                number(estimate.mean),
                f"[{number(estimate.low)}, {number(estimate.high)}]",
                bold=estimate.mean == best[name],
            )
            for name, estimate in of_run.items()
        ]
        rows.append([Cell(label), *cells])
    confidence = f"{100 * (1 - comparison.settings.alpha):g} %"
    users = len(comparison.runs[0].per_user)
    note = f"Means over {users:,} test users, full catalogue; brackets: {confidence} bootstrap intervals over users."
    first = comparison.runs[0].per_user[comparison.metric].to_numpy()
    if caution := narrow_intervals_note(first):
        note += f" {caution}"
    return ResultTable("Accuracy", ["run", *measures], rows, note)


def baseline_table(comparison: Comparison) -> ResultTable:
    """Every run against the baseline."""
    rows = [[Cell(pair.first), *_tested(pair)] for pair in comparison.against_baseline]
    title = f"{comparison.metric} against {comparison.settings.baseline}"
    return ResultTable(title, ["run", *_TESTED_COLUMNS], rows, _note(comparison, len(rows)))


def pairs_table(comparison: Comparison, of: str | None = None) -> ResultTable:
    """Pairs of runs.

    Args:
        comparison: of three runs or more.
        of: label of a run: its pairs alone, as they are corrected among all pairs; None: all pairs.
    """
    pairs = [pair for pair in comparison.pairs if of is None or of in (pair.first, pair.second)]
    return ResultTable(
        f"{comparison.metric}, {'all pairs' if of is None else f'{of} and the others'}",
        ["runs", *_TESTED_COLUMNS],
        [[Cell(f"{pair.first} - {pair.second}"), *_tested(pair)] for pair in pairs],
        _note(comparison, len(comparison.pairs)),
    )


#: What the segments of each group are parts of.
_DIVIDED = {USER_ACTIVITY: "users", ITEM_POPULARITY: "items", TARGET: "targets"}


def segments_table(comparison: Comparison) -> ResultTable:
    """One column for each segment; its best run is bold."""
    segments = [segment for segment in comparison.segments if segment.num_users > 0]
    rows = []
    for run in comparison.runs:
        cells = []
        for segment in segments:
            mean = segment.means[run.label]
            cells.append(Cell(number(mean), bold=mean == max(segment.means.values())))
        rows.append([Cell(run.label), *cells])
    columns = [f"{_DIVIDED[segment.group]}\n{segment.name}" for segment in segments]
    measures = {segment.group: segment.measure for segment in segments}
    counts = ", ".join(f"{segment.num_users:,}" for segment in segments)
    said = [f"Users by activity: {measures.get(USER_ACTIVITY, comparison.metric)}"]
    if ITEM_POPULARITY in measures:
        said.append(f"items by popularity: {measures[ITEM_POPULARITY]} of the held-out items in that segment")
    if TARGET in measures:
        said.append(f"targets: {measures[TARGET]} of what was new to the user or known")
    note = f"{'; '.join(said)}. Users in each mean: {counts}."
    return ResultTable("By segment", ["run", *columns], rows, note)


def beyond_accuracy_table(comparison: Comparison) -> ResultTable:
    """Coverage, Gini index, novelty, diversity, time; higher or lower is not better as such, so nothing is bold."""
    measures = [name for name in BEYOND_ACCURACY if any(name in of_run for of_run in comparison.beyond.values())]
    rows = []
    for run in comparison.runs:
        values = comparison.beyond[run.label]
        epochs = str(run.manifest.best_epoch) if run.manifest.best_epoch > 0 else "-"
        cells = [Cell(number(values.get(name, math.nan))) for name in measures]
        rows.append([Cell(run.label), *cells, Cell(seconds(run.manifest.fit_seconds)), Cell(epochs)])
    title = f"Beyond accuracy, top {comparison.settings.k}"
    note = "For none of these is higher or lower better as such, except for time."
    return ResultTable(title, ["run", *measures, "fit\nseconds", "epochs"], rows, note)


_TESTED_COLUMNS = ("difference", "better /\nworse", "p", "corrected\np")


def _tested(pair: PairedComparison) -> list[Cell]:
    difference = pair.difference
    low, high = difference.interval
    relative = f" ({100 * pair.relative:+.1f}%)" if math.isfinite(pair.relative) else ""
    return [
        Cell(_signed(difference.mean) + relative, f"[{_signed(low)}, {_signed(high)}]", bold=pair.significant),
        Cell(f"{difference.num_better} / {difference.num_worse}"),
        Cell(_p_value(difference.p_value)),
        Cell(_p_value(pair.corrected_p) + ("*" if pair.significant else "")),
    ]


def _note(comparison: Comparison, num_tests: int) -> str:
    settings = comparison.settings
    tests = f"{num_tests} tests" if num_tests != 1 else "one test"
    test, correction = _TESTS[settings.test], _CORRECTIONS[settings.correction]
    return (
        f"{test}, {correction} correction for {tests}; * below {settings.alpha:g}. Better / worse: number of "
        "users. The tests generalise to other users like these, not to other splits or training seeds."
    )


def number(value: float) -> str:
    """A metric with four digits after the point; a dash if it is undefined."""
    return f"{value:.4f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.3f}" if math.isfinite(value) else "-"


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:+.3f}"


def _p_value(value: float) -> str:
    return "<.001" if value < 0.001 else f"{value:.3f}".replace("0.", ".", 1)


def seconds(value: float) -> str:
    """A time in seconds, with hundredths if it is below 10."""
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"
