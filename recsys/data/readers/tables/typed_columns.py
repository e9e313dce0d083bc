"""Arrow tables of a user, from a file or from memory, with the framework's column names and types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import ITEM_ID, RATING, SUBSECOND_NS, TIMESTAMP, USER_ID, WEIGHT
from recsys.data.readers.identifiers import as_identifiers, as_strings
from recsys.data.readers.numbers import as_numbers
from recsys.data.readers.tables.value_forms import ValueForms
from recsys.data.readers.timestamps import WholeColumn, as_times


@dataclass(frozen=True, slots=True)
class ReadTable:
    """A table as it was read.

    Args:
        table: with the framework's column names and types.
        notes: what was recognised without being told, in sentences.
    """

    table: pa.Table
    notes: tuple[str, ...] = ()


def unread_columns(found: Sequence[str], wanted: Mapping[str, str]) -> tuple[str, ...]:
    """A note on the columns of interactions that are not read; none if all are.

    Args:
        found: names of all columns.
        wanted: the framework's names and those of the columns that are read.
    """
    left = [name for name in found if name not in wanted.values()]
    return (f"columns that are not read: {', '.join(left)}",) if left else ()


def order_notes(name: str, order: str | None) -> tuple[str, ...]:
    """A note on the order in which the dates of a column are read; none where it is that of ISO 8601."""
    return () if order is None else (f"{name} is read as dates, {order}",)


def typed_interactions(
    table: pa.Table, wanted: Mapping[str, str], place: str, day_first: bool | None = None
) -> ReadTable:
    """User, item and, if they are wanted, rating, weight (float32) and time; no other columns.

    Times are ``timestamp`` (int64, seconds) and, where they are finer than that, ``subsecond_ns`` (int32).

    Args:
        table: columns of any type that can be converted.
        wanted: the framework's names and those in ``table``.
        place: where the table is from, for messages.
        day_first: whether the day comes before the month in dates such as 03/04/2024; None to find out.

    Raises:
        DataError: a column has values of another type, or the order of day and month cannot be told.
    """
    notes: tuple[str, ...] = ()
    converted = {role: as_identifiers(table[wanted[role]], wanted[role], place) for role in (USER_ID, ITEM_ID)}
    for role in (RATING, WEIGHT):
        if role in wanted:
            converted[role] = as_numbers(table[wanted[role]], wanted[role], place, decimal_comma=None)
    if TIMESTAMP in wanted:
        times = as_times(table[wanted[TIMESTAMP]], wanted[TIMESTAMP], place, day_first)
        notes = order_notes(wanted[TIMESTAMP], times.order)
        converted[TIMESTAMP] = times.seconds
        if times.subsecond_ns is not None:
            converted[SUBSECOND_NS] = times.subsecond_ns
    return ReadTable(pa.table(converted).unify_dictionaries(), notes)


def typed_batch(
    batch: pa.Table, wanted: Mapping[str, str], schema: pa.Schema, place: str, forms: ValueForms, first_row: int
) -> pa.Table:
    """A batch of what :func:`typed_interactions` makes of a whole table, with ids as ``schema`` has them.

    Args:
        batch: columns of the file.
        wanted: the framework's names and those in ``batch``.
        schema: names and types of the result.
        place: where the table is from, for messages.
        forms: how the values of the whole table are written.
        first_row: the number of rows before the batch.

    Raises:
        DataError: a column has values of another type.
    """
    converted = {}
    for role in (USER_ID, ITEM_ID):
        read = as_identifiers if pa.types.is_dictionary(schema.field(role).type) else as_strings
        converted[role] = read(batch[wanted[role]], wanted[role], place)
    for role in (RATING, WEIGHT):
        if role in wanted:
            converted[role] = as_numbers(
                batch[wanted[role]],
                wanted[role],
                place,
                decimal_comma=role in forms.decimal_commas,
                first_row=first_row,
            )
    if TIMESTAMP in wanted:
        whole = WholeColumn(forms.number_times, forms.text_times, first_row)
        found = as_times(batch[wanted[TIMESTAMP]], wanted[TIMESTAMP], place, whole=whole)
        converted[TIMESTAMP] = found.seconds
        if SUBSECOND_NS in schema.names:
            none = pc.if_else(found.seconds.is_valid(), 0, None)
            converted[SUBSECOND_NS] = none if found.subsecond_ns is None else found.subsecond_ns
    return pa.table(converted).select(schema.names).cast(schema)


def typed_entities(columns: Mapping[str, pa.ChunkedArray], id_name: str, role: str, place: str) -> pa.Table:
    """The ids as strings under the name ``role``, and all other columns in plain types.

    Args:
        columns: of a users or items table.
        id_name: name of the id column there.
        role: ``user_id`` or ``item_id``.
        place: where the table is from, for messages.

    Raises:
        DataError: the ids are neither text nor whole numbers.
    """
    others = {name: plain_column(column) for name, column in columns.items() if name != id_name}
    return pa.table({role: as_strings(columns[id_name], id_name, place)} | others)


def plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column with plain types: strings instead of large strings or dictionaries, lists instead of large lists."""
    type_ = _plain_type(column.type)
    return column if type_ == column.type else column.cast(type_)


def _plain_type(type_: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(type_):
        return _plain_type(type_.value_type)
    if pa.types.is_large_string(type_) or pa.types.is_string_view(type_):
        return pa.string()
    if pa.types.is_large_list(type_) or pa.types.is_list(type_) or pa.types.is_fixed_size_list(type_):
        return pa.list_(_plain_type(type_.value_type))
    return type_
