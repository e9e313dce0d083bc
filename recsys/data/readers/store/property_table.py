"""JSON properties as columns of a table."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

import pyarrow as pa


def property_columns(texts: Sequence[str], reserved: Collection[str]) -> tuple[dict[str, pa.Array], tuple[str, ...]]:
    """A column for each property that any row has.

    A column has the type of its values: numbers, truth values, text, or lists of one of them. Where they are of several
    types, or nested, all become text.

    Args:
        texts: a JSON object for each row.
        reserved: names that are those of other columns; such properties are left out.

    Returns:
        The columns in the order of their names, and notes on what was left out or turned into text.

    Example:
        >>> columns, notes = property_columns(['{"age": 36}', '{"city": "Paris"}'], ())
        >>> {name: column.to_pylist() for name, column in columns.items()}
        {'age': [36, None], 'city': [None, 'Paris']}
    """
    rows = [json.loads(text) for text in texts]
    names = sorted({name for row in rows for name in row})
    columns, as_text = {}, []
    for name in names:
        if name in reserved:
            continue
        column = _typed([row.get(name) for row in rows])
        if column is None:
            as_text.append(name)
            column = pa.array([_text(row.get(name)) for row in rows], pa.string())
        columns[name] = column
    left_out = [name for name in names if name in reserved]
    notes = [f"properties of several types, read as text: {', '.join(as_text)}"] if as_text else []
    notes += [f"properties that are left out, because of their names: {', '.join(left_out)}"] if left_out else []
    return columns, tuple(notes)


def _typed(values: list[Any]) -> pa.Array | None:
    """A column of one plain type; None where there is none."""
    try:
        column = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return None
    inner = column.type.value_type if pa.types.is_list(column.type) else column.type
    return None if pa.types.is_nested(inner) else column


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
