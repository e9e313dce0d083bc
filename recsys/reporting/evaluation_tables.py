"""Tables of evaluation results. Nothing is printed here.

Tables consist of ASCII characters and are valid Markdown, so they can be logged and pasted.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from recsys.cli.text_table import Number, TextTable
from recsys.evaluation.fixed_negatives import WARNING, FixedNegativesResult
from recsys.evaluation.ranking_result import RankingResult
from recsys.evaluation.rating import RatingResult
from recsys.evaluation.statistics.significance import Interval


def metrics_table(
    results: Mapping[str, RankingResult],
    metrics: Sequence[str] = ("ndcg@10", "recall@10", "hit_rate@10", "map@10", "mrr@10", "coverage@10"),
    title: str = "Full ranking",
) -> TextTable:
    """One row for each model, one column for each metric.

    A cell shows the mean over users, the gain relative to the first row, and its 95 % interval. The best mean of each
    accuracy metric is bold; for catalogue metrics higher is not better as such, so none is bold. A note says so.

    Args:
        results: results by model name; the others are compared with the first.
        metrics: names in ``per_user`` or ``catalogue``; a missing one is shown as ``-``.
        title: title of the table.
    """
    table = _table(title, "model")
    for name in metrics:
        table.add_column(name, justify="right", overflow="fold")
    means = {model: result.means() | result.catalogue for model, result in results.items()}
    intervals = {model: result.intervals for model, result in results.items()}
    judged = {name for result in results.values() for name in result.per_user}
    _add_models(table, means, intervals, metrics, judged)
    if any(intervals.values()) and judged & set(metrics):
        table.caption = "Higher is better; brackets: 95 % intervals."
    elif not judged & set(metrics):
        table.caption = "Higher is neither better nor worse as such."
    return table


def cut_offs_table(results: Mapping[str, RankingResult], title: str) -> TextTable:
    """One row for each accuracy metric and model, one column for each cut-off that was evaluated; means alone.

    Args:
        results: results by model name, all with the same metrics.
        title: title of the table.
    """
    table = _table(title, "metric")
    table.add_column("model", overflow="fold")
    means = {model: result.means() for model, result in results.items()}
    names = list(dict.fromkeys(name.rpartition("@")[0] for name in next(iter(means.values())) if "@" in name))
    cut_offs = sorted({int(name.rpartition("@")[2]) for name in next(iter(means.values())) if "@" in name})
    for k in cut_offs:
        table.add_column(f"@{k}", justify="right")
    for name in names:
        for place, (model, of_model) in enumerate(means.items()):
            cells = [_number(of_model.get(f"{name}@{k}", math.nan)) for k in cut_offs]
            table.add_row(name if place == 0 else "", model, *cells)
    return table


def fixed_negatives_table(
    results: Mapping[str, FixedNegativesResult], metrics: Sequence[str] = ("hit_rate@10", "ndcg@10")
) -> TextTable:
    """One row for each model under the fixed-negatives protocol, with the warning below.

    Args:
        results: results by model name; the others are compared with the first.
        metrics: names in ``per_row``.
    """
    counts = ", ".join(str(count) for count in sorted({result.num_negatives for result in results.values()}))
    table = _table(f"Among {counts} fixed negatives", "model")
    table.caption = WARNING
    for name in metrics:
        table.add_column(name, justify="right", overflow="fold")
    means = {model: result.means() for model, result in results.items()}
    intervals = {model: result.intervals for model, result in results.items()}
    _add_models(table, means, intervals, metrics, set(metrics))
    return table


def ratings_table(results: Mapping[str, RatingResult], title: str = "Predicted ratings") -> TextTable:
    """One row for each model: RMSE and MAE with their 95 % intervals; lower is better.

    Args:
        results: results by model name.
        title: title of the table.
    """
    table = _table(title, "model")
    table.caption = "RMSE and MAE: lower is better."
    for name in ("rmse", "mae", "ratings"):
        table.add_column(name, justify="right", overflow="fold")
    for model, result in results.items():
        cells = []
        for name, value in (("rmse", result.rmse), ("mae", result.mae)):
            low, high = result.intervals.get(name, (math.nan, math.nan))
            cells.append(Number([_number(value), *([f"[{low:.4f}, {high:.4f}]"] if math.isfinite(low) else [])]))
        table.add_row(model, *cells, str(int(result.num_ratings.sum())))
    return table


def folds_table(folds: Sequence[Mapping[str, float]], metrics: Sequence[str], title: str) -> TextTable:
    """One row for each fold, then the mean over folds and its standard deviation.

    Args:
        folds: the metrics of each fold.
        metrics: names of the shown metrics; a missing one is shown as ``-``.
        title: title of the table.
    """
    table = _table(title, "fold")
    if any("rmse" in name or "mae" in name for name in metrics):
        table.caption = "RMSE and MAE: lower is better; of the others higher is."
    for name in metrics:
        table.add_column(name.removeprefix("test/"), justify="right", overflow="fold")
    for number, fold in enumerate(folds, start=1):
        table.add_row(str(number), *(_number(fold.get(name, math.nan)) for name in metrics))
    spread = mean_and_deviation(folds)
    for row, position in (("mean", 0), ("sd", 1)):
        table.add_row(row, *(_number(spread[name][position]) if name in spread else "-" for name in metrics))
    return table


def mean_and_deviation(folds: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, float]]:
    """Mean and sample standard deviation of each metric that all folds have; the deviation is NaN for one fold."""
    shared = [name for name in folds[0] if all(name in fold for fold in folds)]
    values = {name: [fold[name] for fold in folds] for name in shared}
    return {
        name: (statistics.fmean(column), statistics.stdev(column) if len(column) > 1 else math.nan)
        for name, column in values.items()
    }


def segments_table(results: Mapping[str, RankingResult], metric: str | None = None) -> TextTable:
    """One row for each segment, one column for each model; the best of a row is bold.

    Args:
        results: results by model name, all on the same task.
        metric: a metric of the segments; segments without it are left out. None is recall, at the cut-off of the
            segments.
    """
    if metric is None:
        measured = (name for result in results.values() for segment in result.segments for name in segment.means)
        metric = next((name for name in measured if name.startswith("recall@")), "recall")
    table = _table(f"{metric} by segment", "segment")
    table.add_column("users", justify="right", overflow="fold")
    for model in results:
        table.add_column(model, justify="right", overflow="fold")
    rows: dict[str, list[float]] = {}
    users: dict[str, int] = {}
    for position, result in enumerate(results.values()):
        for segment in result.segments:
            if metric in segment.means:
                name = f"{segment.group}={segment.name}"
                rows.setdefault(name, [math.nan] * len(results))[position] = segment.means[metric]
                users[name] = segment.num_users
    for name, values in rows.items():
        best = _best(values)
        cells = [Number([_number(value)], best=value == best) for value in values]
        table.add_row(name, str(users[name]), *cells)
    return table


def _table(title: str, first_column: str) -> TextTable:
    table = TextTable(title=title)
    table.add_column(first_column, overflow="fold")
    return table


def _add_models(
    table: TextTable,
    means: Mapping[str, Mapping[str, float]],
    intervals: Mapping[str, Mapping[str, Interval]],
    metrics: Sequence[str],
    judged: set[str],
) -> None:
    """Add a row for each model; the best of each metric in ``judged`` is bold."""
    columns = {name: [of_model.get(name, math.nan) for of_model in means.values()] for name in metrics}
    for position, model in enumerate(means):
        cells = []
        for name, values in columns.items():
            value = values[position]
            parts = [_number(value)]
            if position > 0 and math.isfinite(value) and math.isfinite(values[0]) and values[0] != 0:
                parts.append(f"{100.0 * (value / values[0] - 1.0):+.1f}%")
            if name in intervals[model]:
                low, high = intervals[model][name]
                parts.append(f"[{low:.4f}, {high:.4f}]")
            cells.append(Number(parts, best=name in judged and value == _best(values)))
        table.add_row(model, *cells)


def _best(values: Sequence[float]) -> float:
    """The highest of several values; NaN where there is nothing to compare."""
    finite = [value for value in values if math.isfinite(value)]
    return max(finite) if len(finite) > 1 else math.nan


def _number(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "-"
