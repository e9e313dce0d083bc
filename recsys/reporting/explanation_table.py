"""Prints recommendations with what their scores come from."""

from __future__ import annotations

from recsys.cli.data_text import data_text
from recsys.cli.text_table import TextTable
from recsys.reporting.recommendation_table import TitlesOf
from recsys.runtime.explanations.shared_attributes import format_shared
from recsys.runtime.recommendation import Contribution, ItemExplanation, Recommendation

#: What is left of a score and is no more than this share of its largest part is rounding.
ROUNDING = 1e-4


def explanation_table(titles_of: TitlesOf, heading: str, recommendation: Recommendation) -> TextTable:
    """A table of titles and scores, each followed by what the score comes from.

    Args:
        titles_of: gives the titles of items by their ids.
        heading: title of the table.
        recommendation: a list with explanations.
    """
    table = TextTable(
        "rank",
        "item",
        "title and contributions",
        "score",
        title=heading,
        caption=recommendation.explanation_method or "",
    )
    table.columns[0].justify = table.columns[3].justify = "right"
    assert recommendation.explanations is not None, "asked for by the caller"
    titles = titles_of(recommendation.item_ids)
    rows = zip(recommendation.item_ids, titles, recommendation.scores, recommendation.explanations, strict=True)
    for rank, (item_id, title, score, explanation) in enumerate(rows, start=1):
        table.add_row(str(rank), item_id, data_text(title, "bold"), f"{score:.4g}")
        for words, value in _lines(titles_of, explanation):
            table.add_row("", "", data_text(f"  {words}", "dim"), data_text(value, "dim"))
    return table


def _lines(titles_of: TitlesOf, explanation: ItemExplanation) -> list[tuple[str, str]]:
    """A line for each reason: words, and the contribution to the score where there is one."""
    lines = []
    if explanation.popularity is not None:
        lines.append((f"popular: {explanation.popularity:,} interactions", ""))
    titles = titles_of([contribution.item_id for contribution in explanation.contributions])
    lines += [_line(*pair) for pair in zip(explanation.contributions, titles, strict=True)]
    if explanation.num_older:
        lines.append((f"{explanation.num_older:,} older interactions together", _signed(explanation.older_value)))
    sizes = [abs(contribution.value or 0.0) for contribution in explanation.contributions]
    if explanation.rest is not None and abs(explanation.rest) > ROUNDING * max(sizes, default=0.0):
        lines.append(("everything else", _signed(explanation.rest)))
    return lines


def _line(contribution: Contribution, title: str) -> tuple[str, str]:
    shared = format_shared(contribution.shared)
    if contribution.value is None:
        return f"{shared} with {title}", ""
    return (f"{title}: {shared}" if shared else title), _signed(contribution.value)


def _signed(value: float) -> str:
    """Three digits and a sign."""
    return f"{value:+#.3g}".rstrip(".")
