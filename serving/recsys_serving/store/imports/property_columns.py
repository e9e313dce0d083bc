"""Columns of a table as JSON properties, one text for each row."""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from recsys_serving.store.json_text import to_json


def property_rows(
    table: pa.Table, id_column: str, excluded: Sequence[str], batch: int, title: str | None = None
) -> Iterator[pa.Table]:
    """Tables of ``id``, ``properties`` and perhaps ``title`` as text.

    Args:
        table: users or items.
        id_column: column of the ids.
        excluded: columns that are no properties.
        batch: rows of each table.
        title: column of the titles, or None.
    """
    names = [name for name in table.column_names if name not in excluded]
    for start in range(0, len(table), batch):
        part = table.slice(start, batch)
        columns = {"id": part.column(id_column).cast(pa.string())}
        columns["properties"] = pa.array([_properties(row) for row in part.select(names).to_pylist()], pa.string())
        if not names:
            columns["properties"] = pa.array(["{}"] * len(part))
        if title is not None:
            columns["title"] = part.column(title).cast(pa.string())
        yield pa.table(columns)


def _properties(row: dict[str, Any]) -> str:
    """What a row says, as JSON; what it says nothing about is left out."""
    return to_json({name: value for name, given in row.items() if (value := _plain(given)) is not None})


def _plain(value: Any) -> Any:
    """A value as JSON can hold it; None for one that is missing."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case list() | tuple():
            return [_plain(part) for part in value]
        case dict():
            return {str(name): _plain(part) for name, part in value.items()}
        case decimal.Decimal():
            return float(value)
        case datetime.date() | datetime.time():  # a datetime is a date
            return value.isoformat()
        case datetime.timedelta():
            return value.total_seconds()
        case bytes():
            return value.hex()
    return value
