"""A value that somebody gave, as an error message shows it."""

from __future__ import annotations

#: Characters that are shown at most.
MAX_SHOWN = 200


def shown_value(value: object) -> str:
    """The value as Python writes it, cut where it is long; its type where Python does not write it.

    Example:
        >>> shown_value("a" * 300)[-6:]
        'aaa...'
    """
    try:
        shown = repr(value)
    except Exception:  # a number of more digits than Python prints, say
        shown = f"of the type {type(value).__name__}"
    return shown if len(shown) <= MAX_SHOWN else f"{shown[:MAX_SHOWN]}..."
