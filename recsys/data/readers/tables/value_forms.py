"""How the values of interactions are written in a table, found out in all rows, which may come in batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from recsys.data.columns import RATING, TIMESTAMP, WEIGHT
from recsys.data.readers.number_times import NumberTimes, NumberTimesScan
from recsys.data.readers.numbers import DecimalCommaScan, as_numbers
from recsys.data.readers.text_times import TextTimes, TextTimesScan


@dataclass(frozen=True, slots=True)
class ValueForms:
    """How values are written that the whole column must tell.

    Args:
        number_times: the moments, if they are in a column of numbers.
        text_times: the moments, if they are in a column of text.
        decimal_commas: the framework's names of the text columns of numbers with decimal commas.
    """

    number_times: NumberTimes = NumberTimes()
    text_times: TextTimes = TextTimes()
    decimal_commas: frozenset[str] = frozenset()


def scan_values(
    parts: Iterable[pa.Table], wanted: Mapping[str, str], place: str, day_first: bool | None = None
) -> ValueForms:
    """Go through all parts of a table.

    Args:
        parts: at least those columns of which :func:`must_be_scanned` says so; they may have others as well.
        wanted: the framework's names and those in the parts.
        place: where the table is from, for messages.
        day_first: whether the day comes before the month in dates such as 03/04/2024; None to find out.

    Raises:
        DataError: a time is no number, or the order of day and month cannot be told.

    Warns:
        DataWarning: that order is assumed.
    """
    number_times, text_times = NumberTimesScan(), TextTimesScan()
    commas = {role: DecimalCommaScan() for role in (RATING, WEIGHT) if role in wanted}
    for part in parts:
        for role in (TIMESTAMP, *commas):
            if role not in wanted or wanted[role] not in part.column_names:
                continue
            column = part[wanted[role]]
            if not must_be_scanned(role, column.type):
                continue
            if pa.types.is_dictionary(column.type):
                column = column.cast(column.type.value_type)
            if role in commas:
                commas[role].add(column)
            elif is_text(column.type):
                text_times.add(column)
            elif pa.types.is_integer(column.type):
                number_times.add(column.cast(pa.int64()))
            else:
                number_times.add(as_numbers(column, wanted[TIMESTAMP], place, pa.float64()))
    return ValueForms(
        number_times.form(),
        text_times.form(wanted.get(TIMESTAMP, TIMESTAMP), place, day_first),
        frozenset(role for role, scan in commas.items() if scan.has_commas()),
    )


def must_be_scanned(role: str, type_: pa.DataType) -> bool:
    """Whether only all values of a column together tell how they are written.

    Args:
        role: the framework's name of the column.
        type_: that of its values in the file.
    """
    if role == TIMESTAMP:
        return not pa.types.is_temporal(type_)
    return role in (RATING, WEIGHT) and is_text(type_)


def is_text(type_: pa.DataType) -> bool:
    """Whether values are text, perhaps in a dictionary."""
    plain = type_.value_type if pa.types.is_dictionary(type_) else type_
    return bool(pa.types.is_string(plain) or pa.types.is_large_string(plain))
