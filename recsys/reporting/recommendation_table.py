"""Prints recommendations."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from recsys.cli.text_table import TextTable
from recsys.runtime.recommendation import Recommendation

#: Gives the titles of items by their ids; the id where an item has none.
TitlesOf = Callable[[Sequence[str]], list[str]]


def recommendation_table(titles_of: TitlesOf, heading: str, recommendation: Recommendation) -> TextTable:
    """A table of titles and scores.

    Args:
        titles_of: gives the titles of items by their ids.
        heading: title of the table.
        recommendation: the list.
    """
    table = TextTable("rank", "item", "title", "score", title=heading)
    table.columns[0].justify = table.columns[3].justify = "right"
    titles = titles_of(recommendation.item_ids)
    rows = zip(recommendation.item_ids, titles, recommendation.scores, strict=True)
    for rank, (item_id, title, score) in enumerate(rows, start=1):
        table.add_row(str(rank), item_id, title, f"{score:.4g}")
    return table
