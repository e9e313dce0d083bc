"""Columns of users and items as what they hold: objects laid flat, text that spells lists, dates or truth values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import TITLE
from recsys.data.readers.date_order import AmbiguousDatesError
from recsys.data.readers.tables.list_texts import find_separator, parse_lists, suspect_separator
from recsys.data.readers.tables.nested_columns import flatten_columns
from recsys.data.readers.tables.text_dates import is_ambiguous, parse_dates
from recsys.data.readers.tables.text_forms import TextForms
from recsys.errors import DataError

_TRUTH = ("true", "false")
_ANY_FORM = TextForms()


@dataclass(frozen=True, slots=True)
class RecognisedTable:
    """A users or items table, of which the columns hold what they mean.

    Args:
        table: the ids first.
        separators: of the text columns that hold several values.
        notes: a sentence on each column that was changed or is doubtful.
    """

    table: pa.Table
    separators: Mapping[str, str]
    notes: tuple[str, ...]


def recognise_columns(
    table: pa.Table, id_column: str, declared: Collection[str], forms: TextForms = _ANY_FORM
) -> RecognisedTable:
    """Recognise what the columns hold.

    Args:
        table: a users or items table.
        id_column: its ids, which are left alone, as titles are.
        declared: columns of which the user has said what they are; only their objects are laid flat.
        forms: what the user says of text.

    Raises:
        DataError: a column that is said to hold several values in a text holds no text.

    Warns:
        DataWarning: the order of day and month is assumed.
    """
    columns = dict(zip(table.column_names, table.columns, strict=True))
    flat, notes = flatten_columns({name: column for name, column in columns.items() if name != id_column})
    separators: dict[str, str] = {}
    for name, column in flat.items():
        if pa.types.is_timestamp(column.type) and (days := as_days(column)) is not None:
            flat[name] = days
        if name in forms.list_separators:
            if (separator := forms.list_separators[name]) is not None:
                separators[name] = _of_text(name, column, separator)
            continue
        if name in declared or name == TITLE or not pa.types.is_string(column.type):
            continue
        parsed, what = _parsed(name, column, forms)
        if parsed is not None:
            flat[name] = parsed
            notes.append(f"{name} is read as {what}")
        elif separator := find_separator(column):
            separators[name] = separator
            notes.append(
                f"{name} holds several values in a text, separated by {separator!r}; "
                f"'data.list_separators={{{name}: null}}' keeps each text as one value"
            )
        elif doubt := _doubt(name, column):
            notes.append(doubt)
    return RecognisedTable(pa.table({id_column: columns[id_column]} | flat), separators, tuple(notes))


def as_days(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Times as dates, if each is at midnight, as dates are in many libraries; otherwise None."""
    if column.null_count == len(column):
        return None
    plain = column.cast(pa.timestamp("us"), safe=False) if column.type.tz is None else column
    days = plain.cast(pa.date32(), safe=False)
    return days if days.cast(plain.type).equals(plain) else None


def parse_truth_values(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """A text column as truth values, if each value is ``true`` or ``false`` in any case; otherwise None."""
    text = pc.utf8_lower(pc.utf8_trim_whitespace(column))
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text)
    if text.null_count == len(text) or not pc.all(pc.is_in(text.drop_null(), value_set=pa.array(_TRUTH))).as_py():
        return None
    return pc.equal(text, "true")


def _parsed(name: str, column: pa.ChunkedArray, forms: TextForms) -> tuple[pa.ChunkedArray | None, str]:
    """What a text column holds, if that is no text, and what it is called."""
    if (truth := parse_truth_values(column)) is not None:
        return truth, "truth values"
    with suppress(AmbiguousDatesError):  # which is a doubt
        if (dates := parse_dates(column, name, forms.day_first)) is not None:
            return dates.column, "dates" if dates.order is None else f"dates, {dates.order}"
    return parse_lists(column), "lists, as its text is written"


def _of_text(name: str, column: pa.ChunkedArray, separator: str) -> str:
    """The separator, of a column of text.

    Raises:
        DataError: it is none.
    """
    if not pa.types.is_string(column.type):
        raise DataError(
            f"data.list_separators says what divides several values in a text of the column {name!r}, but it is of "
            f"type {column.type}. Leave it out."
        )
    return separator


def _doubt(name: str, column: pa.ChunkedArray) -> str | None:
    if is_ambiguous(column):
        return (
            f"{name} seems to hold dates, of which nothing tells whether the day or the month comes first; it is text "
            "until data.day_first=true or data.day_first=false says so"
        )
    if (separator := suspect_separator(column)) is not None:
        return (
            f"{name} may hold several values in a text; if so, 'data.list_separators={{{name}: \"{separator}\"}}' "
            "divides them"
        )
    return None
