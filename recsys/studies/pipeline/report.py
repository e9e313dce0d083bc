"""The evaluation of a pipeline as tables, and as a Markdown page with its chart."""

from __future__ import annotations

import json
from pathlib import Path

from recsys.cli.output_directory import make_output_directory
from recsys.evaluation.statistics.significance import bootstrap_intervals
from recsys.reporting.result_table import Cell, ResultTable
from recsys.retrieval.pipeline import STAGES
from recsys.studies.pipeline.evaluation import Lists, PipelineReport

REPORT = "pipeline.md"
CHART = "pipeline.png"
METRICS = "pipeline.json"


def tables(report: PipelineReport, chosen: tuple[str, float] | None) -> list[ResultTable]:
    """All tables, in the order of reading.

    Args:
        report: the evaluation of the pipeline.
        chosen: name and diversity weight of the re-ranker of the pipeline; None for none.
    """
    names = list(dict.fromkeys(name for name, _ in report.diversified))
    return [stages_table(report, chosen), *(diversity_table(report, name) for name in names), time_table(report)]


def stages_table(report: PipelineReport, chosen: tuple[str, float] | None) -> ResultTable:
    """One row for each stage: the recall of the candidates, and the accuracy of the top k after it."""
    k, depth = report.k, report.num_candidates
    means = report.retrieved.result.means()
    rows = [[Cell("retrieve"), _mean(report.retrieved, f"recall@{depth}"), *_accuracy(report.retrieved, k)]]
    recall = Cell(_number(means[f"recall@{depth}"]))
    if report.ranked is not None:
        rows.append([Cell("rank"), recall, *_accuracy(report.ranked, k)])
    if chosen is not None:
        rows.append([Cell(f"{chosen[0]} {chosen[1]:g}"), recall, *_accuracy(report.diversified[chosen], k)])
    note = (
        f"Recall@{depth}: share of the held-out items among the candidates, {report.mean_candidates:.0f} for a user on "
        f"average; no later stage can find more. The other metrics are those of the top {k} after each stage; "
        "brackets: 95 % bootstrap intervals over users."
    )
    columns = ["stage", f"recall@{depth}", f"ndcg@{k}", f"recall@{k}", f"precision@{k}"]
    return ResultTable("Stages", columns, rows, note)


def diversity_table(report: PipelineReport, name: str) -> ResultTable:
    """Gain and cost of a re-ranker at each diversity weight."""
    k = report.k
    rows = []
    for own, diversity_weight in sorted(report.diversified):
        if own != name:
            continue
        lists = report.diversified[own, diversity_weight]
        catalogue = lists.result.catalogue
        rows.append(
            [
                Cell(f"{diversity_weight:g}"),
                _mean(lists, f"ndcg@{k}"),
                _change(lists, report.plain, f"ndcg@{k}"),
                Cell(_number(lists.result.means()[f"recall@{k}"])),
                Cell(_number(catalogue.get(f"diversity@{k}"))),
                Cell(_number(lists.divergence)),
                Cell(_number(catalogue[f"coverage@{k}"])),
            ]
        )
    note = (
        f"Re-ranks {report.num_candidates} candidates; scores are scaled to [0, 1] among them. Change: of ndcg@{k} "
        "against no diversity, with its paired interval over users. Diversity: 1 - mean cosine of the pairs of a list. "
        "Divergence: KL divergence of the list from the history, nats. Coverage: share of the catalogue that is "
        "recommended to at least one user."
    )
    columns = [
        "diversity_weight",
        f"ndcg@{k}",
        "change",
        f"recall@{k}",
        f"diversity@{k}",
        "divergence",
        f"coverage@{k}",
    ]
    return ResultTable(name, columns, rows, note)


def time_table(report: PipelineReport) -> ResultTable:
    """Milliseconds of each stage for one user."""
    times = [report.batch_milliseconds, report.alone_milliseconds]
    stages = [stage for stage in STAGES if stage in report.batch_milliseconds]
    rows = [[Cell(stage), *(Cell(f"{of[stage]:.3f}") for of in times)] for stage in stages]
    rows.append([Cell("all"), *(Cell(f"{sum(of.values()):.3f}") for of in times)])
    note = "Milliseconds for a user: the mean in batches, and the median of single requests."
    return ResultTable("Time", ["stage", "in batches, ms", "alone, ms"], rows, note)


def write_report(report: PipelineReport, chosen: tuple[str, float] | None, heading: str, directory: Path) -> Path:
    """Write the page, the numbers as JSON and, where re-rankers were compared, a chart of them.

    Existing files of these names are replaced.

    Returns:
        Path of the page.

    Raises:
        RunError: the directory cannot be made.
    """
    make_output_directory(directory, "results", "output=")
    picture = ""
    if report.diversified:
        from recsys.studies.pipeline.chart import draw  # with Matplotlib, which only this needs

        draw(report, directory / CHART)
        picture = f"![accuracy against diversity]({CHART})\n\n"
    (directory / METRICS).write_text(json.dumps(numbers(report), indent=2) + "\n", encoding="utf-8")
    sections = "\n".join(table.markdown() for table in tables(report, chosen))
    page = directory / REPORT
    page.write_text(f"# {heading}\n\n{picture}{sections}", encoding="utf-8")
    return page


def numbers(report: PipelineReport) -> dict[str, object]:
    """All numbers of a report, for JSON."""
    lists = {"retrieved": report.retrieved} | ({} if report.ranked is None else {"ranked": report.ranked})
    lists |= {f"{name} {diversity_weight:g}": of for (name, diversity_weight), of in report.diversified.items()}
    return {
        "k": report.k,
        "num_candidates": report.num_candidates,
        "mean_candidates": report.mean_candidates,
        "lists": {name: {**of.result.flat("lists"), "divergence": of.divergence} for name, of in lists.items()},
        "batch_milliseconds": dict(report.batch_milliseconds),
        "alone_milliseconds": dict(report.alone_milliseconds),
    }


def _accuracy(lists: Lists, k: int) -> list[Cell]:
    return [_mean(lists, f"{name}@{k}") for name in ("ndcg", "recall", "precision")]


def _change(lists: Lists, plain: Lists, name: str) -> Cell:
    """Change of a metric in per cent of its value without diversity."""
    before = plain.result.means()[name]
    if before == 0:
        return Cell("-")
    change = 100 * (lists.result.means()[name] / before - 1)
    if not lists.result.intervals:
        return Cell(f"{change:+.1f} %")
    differences = lists.result.per_user[name] - plain.result.per_user[name]
    low, high = (100 * end / before for end in bootstrap_intervals(differences[:, None])[0])
    return Cell(f"{change:+.1f} %", f"[{low:+.1f}, {high:+.1f}]")


def _mean(lists: Lists, name: str) -> Cell:
    interval = lists.result.intervals.get(name)
    detail = "" if interval is None else f"[{interval.low:.4f}, {interval.high:.4f}]"
    return Cell(_number(lists.result.means()[name]), detail)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
