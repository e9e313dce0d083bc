"""Table of recommendations with explanations."""

from __future__ import annotations

from rich import box
from rich.markup import escape
from rich.table import Table

from recsys.data.prepared import PreparedDataset
from recsys.recommendation.explanations import ExplainedRecommendation, ItemExplanation
from recsys.recommendation.shared_attributes import format_shared


def explained_table(prepared: PreparedDataset, heading: str, explained: ExplainedRecommendation) -> Table:
    """A table of titles and scores, each followed by the contributions to the score.

    Args:
        prepared: the data set, which has the titles.
        heading: title of the table.
        explained: the explained recommendations.
    """
    table = Table(
        "rank",
        "item",
        "title and contributions",
        "score",
        title=escape(heading),
        title_justify="left",
        caption=escape(explained.method),
        caption_justify="left",
        box=box.MARKDOWN,
    )
    table.columns[0].justify = table.columns[3].justify = "right"
    ids = prepared.item_vocabulary.ids_of(explained.items.numpy()).to_pylist()
    titles = prepared.titles(explained.items.tolist())
    rows = zip(ids, titles, explained.scores.tolist(), explained.reasons, strict=True)
    for rank, (item, title, score, reasons) in enumerate(rows, start=1):
        table.add_row(str(rank), escape(item), f"[bold]{escape(title)}[/]", f"{score:.4g}")
        for words, part in _lines(prepared, reasons):
            table.add_row("", "", f"  [dim]{escape(words)}[/]", f"[dim]{part}[/]")
    return table


def _lines(prepared: PreparedDataset, reasons: ItemExplanation) -> list[tuple[str, str]]:
    """A line for each reason: its text, and its contribution to the score if it has one."""
    lines = []
    if reasons.popularity is not None:
        lines.append((f"popular: {reasons.popularity:,} interactions", ""))
    titles = prepared.titles([contribution.item for contribution in reasons.contributions])
    for contribution, title in zip(reasons.contributions, titles, strict=True):
        shared = format_shared(contribution.shared)
        if contribution.part is None:
            lines.append((f"{shared} with {title}", ""))
        else:
            lines.append((f"{title}: {shared}" if shared else title, _signed(contribution.part)))
    if reasons.num_older:
        lines.append((f"{reasons.num_older:,} older interactions together", _signed(reasons.older)))
    return lines


def _signed(part: float) -> str:
    """A number with its sign and three significant digits."""
    return f"{part:+#.3g}".rstrip(".")
