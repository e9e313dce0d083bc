"""Columns that a file must have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from recsys.errors import DataError


def require_columns(found: Sequence[str], required: Iterable[str], place: str) -> None:
    """Require that each column is there once.

    Raises:
        DataError: one is missing, or is there more than once.
    """
    missing = [name for name in required if name not in found]
    if missing:
        raise DataError(
            f"{place} must have the column{'s' if len(missing) > 1 else ''} {', '.join(map(repr, missing))}, but its "
            f"columns are {', '.join(map(repr, found)) or 'none'}. Check that it is the right file, or mend its header."
        )
    repeated = sorted({name for name in required if list(found).count(name) > 1})
    if repeated:
        raise DataError(f"{place} has more than one column named {', '.join(map(repr, repeated))}. Rename all but one.")
