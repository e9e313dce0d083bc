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
    decimal_comma: bool | None = False,
    first_row: int = 0,
) -> pa.ChunkedArray:
    """A column as numbers; empty text becomes null.

    Args:
        column: numbers, booleans, or text that spells numbers.
        name: name of the column, for messages.
        place: the file that it is from, for messages.
        type_: type of the result, float32 unless given.
        decimal_comma: whether the numbers in text have decimal commas, ``3,5``; None to find out.
        first_row: the number of rows before the column, for messages.

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
    if decimal_comma is None:
        scan = DecimalCommaScan()
        scan.add(column)
        decimal_comma = scan.has_commas()
    if decimal_comma:
        column = pc.replace_substring(column, ",", ".")
    bad = first_uncastable(column, type_)
    if bad is not None:
        raise DataError(
            f"{place}: column {name!r} must hold numbers, but row {first_row + bad + 1:,} has {column[bad].as_py()!r}. "
            "Correct the value, or leave it empty if it is unknown."
        )
    return column.cast(type_)


class DecimalCommaScan:
    """Finds out whether the numbers of a text column have decimal commas, ``3,5``, as a whole or in batches.

    Where all of them could be thousands, ``1,234``, or other text is among them, they have none.
    """

    def __init__(self) -> None:
        self._is_any_decimal = False
        self._are_all_numbers = True

    def add(self, column: pa.ChunkedArray) -> None:
        """Take in the next values, with or without white space around them."""
        text = pc.utf8_trim_whitespace(column)
        commas = pc.match_substring_regex(text, r"^[+-]?\d*,\d+$")
        thousands = pc.match_substring_regex(text, r"^[+-]?[1-9]\d{0,2},\d{3}$")
        whole = pc.or_(pc.match_substring_regex(text, r"^[+-]?\d+$"), pc.equal(text, ""))
        self._is_any_decimal |= bool(pc.any(pc.and_not(commas, thousands)).as_py())
        self._are_all_numbers &= pc.all(pc.or_(commas, whole)).as_py() is not False

    def has_commas(self) -> bool:
        """Whether they have."""
        return self._is_any_decimal and self._are_all_numbers


def with_decimal_points(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Text of numbers with decimal commas with points instead; None where :class:`DecimalCommaScan` finds none.

    Args:
        column: of text.
    """
    scan = DecimalCommaScan()
    scan.add(column)
    return pc.replace_substring(pc.utf8_trim_whitespace(column), ",", ".") if scan.has_commas() else None


def first_uncastable(column: pa.Array | pa.ChunkedArray, type_: pa.DataType) -> int | None:
    """Position of the first value that cannot become ``type_``, or None; found by binary search."""
    if casts(column, type_):
        return None
    low, high = 0, len(column)  # the first `low` values cast, the first `high` do not
    while high - low > 1:
        middle = (low + high) // 2
        if casts(column.slice(low, middle - low), type_):
            low = middle
        else:
            high = middle
    return low


def casts(column: pa.Array | pa.ChunkedArray, type_: pa.DataType) -> bool:
    """Whether all values can become ``type_``."""
    try:
        column.cast(type_)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
    return True
