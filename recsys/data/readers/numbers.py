"""Columns of numbers, which may be stored as text."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from recsys.errors import DataError


def as_numbers(
    column: pa.ChunkedArray,
    name: str,
    place: str,
    type_: pa.DataType | None = None,
    decimal_comma: bool = False,
) -> pa.ChunkedArray:
    """A column as numbers; empty text becomes null.

    Args:
        column: numbers, booleans, or text that spells numbers.
        name: name of the column, for messages.
        place: the file that it is from, for messages.
        type_: type of the result, float32 unless given.
        decimal_comma: whether text may have decimal commas, ``3,5``, if all of it has.

    Raises:
        DataError: a value is no number; the message gives the first with its row.
    """
    type_ = pa.float32() if type_ is None else type_
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_boolean(kind):
        column, kind = column.cast(pa.int8()), pa.int8()
    if any(is_type(kind) for is_type in (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)):
        return (
            column.cast(pa.float64()).cast(type_, safe=False)
            if pa.types.is_decimal(kind)
            else column.cast(type_, safe=False)
        )
    if pa.types.is_null(kind):
        return column.cast(type_)
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise DataError(f"{place}: column {name!r} must hold numbers, but is of type {kind}. Convert it.")
    column = pc.utf8_trim_whitespace(column)
    column = pc.if_else(pc.equal(column, ""), pa.scalar(None, kind), column)
    if decimal_comma and (pointed := with_decimal_points(column)) is not None:
        column = pointed
    bad = first_uncastable(column, type_)
    if bad is not None:
        raise DataError(
            f"{place}: column {name!r} must hold numbers, but row {bad + 1:,} has {column[bad].as_py()!r}. "
            "Correct the value, or leave it empty if it is unknown."
        )
    return column.cast(type_)


def with_decimal_points(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Text of numbers with decimal commas, ``3,5``, with points instead; None if there are none, or other text as well.

    Where all of them could be thousands, ``1,234``, they are not taken for decimals.

    Args:
        column: of text.
    """
    text = pc.utf8_trim_whitespace(column)
    commas = pc.match_substring_regex(text, r"^[+-]?\d*,\d+$")
    thousands = pc.match_substring_regex(text, r"^[+-]?[1-9]\d{0,2},\d{3}$")
    if not pc.any(pc.and_not(commas, thousands)).as_py():
        return None
    whole = pc.or_(pc.match_substring_regex(text, r"^[+-]?\d+$"), pc.equal(text, ""))
    return pc.replace_substring(text, ",", ".") if pc.all(pc.or_(commas, whole)).as_py() else None


def first_uncastable(column: pa.Array | pa.ChunkedArray, type_: pa.DataType) -> int | None:
    """Position of the first value that cannot become ``type_``, or None; found by binary search."""
    if _casts(column, type_):
        return None
    low, high = 0, len(column)  # the first `low` values cast, the first `high` do not
    while high - low > 1:
        middle = (low + high) // 2
        if _casts(column.slice(low, middle - low), type_):
            low = middle
        else:
            high = middle
    return low


def _casts(column: pa.Array | pa.ChunkedArray, type_: pa.DataType) -> bool:
    try:
        column.cast(type_)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
    return True
