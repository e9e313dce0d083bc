"""Values in a row, for a message."""

from __future__ import annotations

from collections.abc import Sequence


def format_list(values: Sequence[str], most: int) -> str:
    """The values in a row; where there are more than ``most``, the first of them and how many follow.

    Example:
        >>> format_list(["a", "b", "c"], 2)
        'a, b and 1 more'
    """
    more = f" and {len(values) - most:,} more" if len(values) > most else ""
    return ", ".join(values[:most]) + more if values else "none"
