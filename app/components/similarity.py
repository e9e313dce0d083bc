"""How alike the items of a list are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any


def list_similarity(items: Sequence[Mapping[str, Any]], column: str) -> float | None:
    """Mean Jaccard similarity of all pairs: values that both have, divided by values that one of them has.

    Args:
        items: with their ``metadata``.
        column: of categories; items without a value in it are left out.

    Returns:
        From 0 (no two have anything in common) to 1 (all have the same values); None of fewer than two items.
    """
    values = [values_of(item["metadata"].get(column)) for item in items]
    pairs = [len(one & other) / len(one | other) for one, other in combinations([one for one in values if one], 2)]
    return sum(pairs) / len(pairs) if pairs else None


def values_of(value: Any) -> frozenset[str]:
    """The values of an item in a column of categories."""
    if value is None or value == "":
        return frozenset()
    return frozenset(map(str, value)) if isinstance(value, list | tuple) else frozenset([str(value)])
