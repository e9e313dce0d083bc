"""Table of similar items."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest

from recsys.cli.text_table import TextTable
from recsys.reporting.recommendation_table import TitlesOf
from recsys.runtime.recommendation import SimilarItems


def similar_items_table(titles_of: TitlesOf, item_id: str, lists: Mapping[str, SimilarItems]) -> TextTable:
    """Lists of similar items side by side.

    Args:
        titles_of: gives the titles of items by their ids.
        item_id: the item that the others are like.
        lists: by how they were found, such as ``by the model``.
    """
    table = TextTable(title=f"Similar to {titles_of([item_id])[0]}")
    if any(similar.item_ids for similar in lists.values()):
        table.add_column("rank", justify="right")
    notes = []
    columns = []
    for name, similar in lists.items():
        notes.append(f"{name}: {similar.measure}")
        if not similar.item_ids:
            notes[-1] += ", and no item is like it"
            continue
        for heading in ("item", f"title, {name}"):
            table.add_column(heading)
        table.add_column("similarity", justify="right")
        values = (f"{value:.3f}" for value in similar.similarities)
        columns.append(list(zip(similar.item_ids, titles_of(similar.item_ids), values, strict=True)))
    for rank, cells in enumerate(zip_longest(*columns, fillvalue=("", "", "")), start=1):
        table.add_row(str(rank), *(text for cell in cells for text in cell))
    table.caption = "; ".join(notes)
    return table
