"""Ids as users write them: text inside the framework, in the type of the user's own tables outside."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

import pandas as pd
import pyarrow as pa

from recsys.data.id_types import TEXT
from recsys.errors import RequestError


def id_type_of(column: pa.ChunkedArray | pa.Array) -> str:
    """How ids of an Arrow column are given back: whole numbers as whole numbers of the same width, others as text."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return str(kind) if pa.types.is_integer(kind) else TEXT


def restored(ids: Sequence[str | None] | pa.Array, kind: str) -> pd.Series:
    """Ids in the type that they had; text where one of them does not have that form.

    Args:
        ids: as text; None where there is none, for which whole numbers become those of pandas that can be missing.
        kind: of :class:`recsys.data.id_types.IdTypes`.
    """
    texts = ids if isinstance(ids, pa.Array) else pa.array(ids, pa.string())
    if kind != TEXT:
        try:
            if texts.null_count > 0:
                return pd.Series(texts.cast(pa.int64()).to_pylist(), dtype="Int64")
            return pd.Series(texts.cast(pa.type_for_alias(kind)).to_numpy(zero_copy_only=False), dtype=kind)
        except (pa.ArrowInvalid, TypeError):  # a new item may have any id
            pass
    return pd.Series(texts.to_pandas(), dtype=TEXT)


def as_text(ids: Any, what: str) -> list[str]:
    """Ids as text: whole numbers become their digits.

    Args:
        ids: one id, or any list, array, series or column of them.
        what: they are, for messages, such as ``users``.

    Raises:
        RequestError: an id is missing, or neither text nor a whole number.
    """
    return [_text(value, place, what) for place, value in enumerate(listed(ids, what))]


def listed(ids: Any, what: str) -> list[Any]:
    """One id or many as a list of Python values.

    Raises:
        RequestError: they are no list.
    """
    if isinstance(ids, str | int):
        return [ids]
    for method in ("to_pylist", "tolist", "to_list"):
        if hasattr(ids, method):
            values = getattr(ids, method)()
            return values if isinstance(values, list) else [values]
    if isinstance(ids, Iterable) and not isinstance(ids, bytes | dict):
        return list(ids)
    raise RequestError(f"{what} must be ids, such as ['196', '22'], a series or a column, but they are {ids!r}.")


def _text(value: Any, place: int, what: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Integral) and not isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return str(int(value))
    missing = value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))
    came = "nothing is there" if missing else f"it is {value!r}"
    raise RequestError(
        f"{what} must be ids, text or whole numbers, but at position {place:,} {came}. "
        f"{'Leave it out.' if missing else 'Write it as the data have it.'}"
    )
