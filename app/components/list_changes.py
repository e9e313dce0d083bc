"""What differs between two lists: what came, what left, what moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd


class ListChange(NamedTuple):
    """An item of one or both lists.

    Args:
        item_id: of the item.
        title: of the item.
        before: its rank in the first list; None: it is not in it.
        after: its rank in the second list; None: it is not in it.
    """

    item_id: str
    title: str
    before: int | None
    after: int | None

    @property
    def words(self) -> str:
        """What happened to it."""
        if self.before is None:
            return "came in"
        if self.after is None:
            return "left"
        moved = self.before - self.after
        return "stayed" if moved == 0 else f"▲ {moved}" if moved > 0 else f"▼ {-moved}"


def list_changes(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> list[ListChange]:
    """The items of both lists: those of the second in their order, then those that left."""
    ranks = {item["item_id"]: place for place, item in enumerate(before, start=1)}
    changes = [
        ListChange(item["item_id"], item["title"], ranks.pop(item["item_id"], None), place)
        for place, item in enumerate(after, start=1)
    ]
    titles = {item["item_id"]: item["title"] for item in before}
    return changes + [ListChange(name, titles[name], rank, None) for name, rank in ranks.items()]


def changes_summary(changes: Sequence[ListChange]) -> str:
    """How much changed, in a sentence."""
    came = sum(one.before is None for one in changes)
    left = sum(one.after is None for one in changes)
    moved = sum(one.before is not None and one.after is not None and one.before != one.after for one in changes)
    if not (came or left or moved):
        return "Both lists are the same."
    return f"{came} came in, {left} left, {moved} moved."


def changes_table(changes: Sequence[ListChange], before: str, after: str) -> pd.DataFrame:
    """The changes as a table, whose columns of ranks have these names."""
    rows = [[one.title, _rank(one.before), _rank(one.after), one.words] for one in changes]
    return pd.DataFrame(rows, columns=["Item", before, after, "Change"])


def _rank(rank: int | None) -> str:
    return "–" if rank is None else str(rank)
