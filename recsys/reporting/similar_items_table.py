"""Table of similar items."""

from __future__ import annotations

from itertools import zip_longest

from rich import box
from rich.markup import escape
from rich.table import Table

from recsys.data.prepared import PreparedDataset
from recsys.recommendation.similar_items import Neighbours


def neighbours_table(
    prepared: PreparedDataset, item: int, by_model: Neighbours, by_content: Neighbours | None
) -> Table:
    """Two lists side by side: the items that are similar to ``item`` by the model and by content.

    Args:
        prepared: the data set, which has ids and titles.
        item: internal index.
        by_model: neighbours by the model.
        by_content: neighbours by item features; None if items have none.
    """
    lists = {"by the model": by_model, "by content": by_content}
    table = Table(title=escape(f"Similar to {prepared.titles([item])[0]}"), title_justify="left", box=box.MARKDOWN)
    table.add_column("rank", justify="right")
    notes = []
    columns = []
    for name, neighbours in lists.items():
        if neighbours is None or len(neighbours.items) == 0:
            reason = "no item has features with words" if neighbours is None else "no item is similar"
            notes.append(f"{name}: {reason}")
            continue
        notes.append(f"{name}: {neighbours.measure}")
        for heading in ("item", f"title, {name}"):
            table.add_column(heading)
        table.add_column("similarity", justify="right")
        ids = prepared.item_vocabulary.ids_of(neighbours.items.numpy()).to_pylist()
        values = (f"{value:.3f}" for value in neighbours.similarities.tolist())
        columns.append(list(zip(ids, prepared.titles(neighbours.items.tolist()), values, strict=True)))
    for rank, cells in enumerate(zip_longest(*columns, fillvalue=("", "", "")), start=1):
        table.add_row(str(rank), *(escape(text) for cell in cells for text in cell))
    table.caption, table.caption_justify = escape("; ".join(notes)), "left"
    return table
