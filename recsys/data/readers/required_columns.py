"""Checks that a file has the columns that a reader needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from recsys.errors import DataError


def require_columns(found: Sequence[str], required: Iterable[str], place: str) -> None:
    """Check that each required column exists, and exists once.

    Args:
        found: names of the columns of the file.
        required: names of the columns that are needed.
        place: the file, for messages.

    Raises:
        DataError: a required column is missing or repeated.
    """
    missing = [name for name in required if name not in found]
    if missing:
        raise DataError(
            f"{place} must have the column{'s' if len(missing) > 1 else ''} {', '.join(map(repr, missing))}, but its "
            f"columns are {', '.join(map(repr, found)) or 'none'}. Check that it is the right file, or correct "
            "its header."
        )
    repeated = sorted({name for name in required if list(found).count(name) > 1})
    if repeated:
        raise DataError(f"{place} has more than one column named {', '.join(map(repr, repeated))}. Rename all but one.")
