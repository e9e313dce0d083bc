"""Interactions in files, read in batches: first how values are written is found out in all rows, then rows are read.

Both passes read the files; no table is in memory as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from recsys.data.columns import ITEM_ID, RATING, SUBSECOND_NS, TIMESTAMP, USER_ID, WEIGHT
from recsys.data.raw_stream import BATCH_ROWS, Batches, InTurn
from recsys.data.readers.delimited import ColumnTypeError, DelimitedForm, LongRowError
from recsys.data.readers.identifiers import ID_TYPE
from recsys.data.readers.json_lines import json_line_batches
from recsys.data.readers.parquet import parquet_batches, parquet_schema
from recsys.data.readers.tables.converted_text import UNIT_SEPARATOR
from recsys.data.readers.tables.text_format import TextFormat
from recsys.data.readers.tables.text_tables import own_words, plain_text, types_to_try
from recsys.data.readers.tables.typed_columns import order_notes, typed_batch, unread_columns
from recsys.data.readers.tables.value_forms import ValueForms, is_text, must_be_scanned, scan_values
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError

_IDS = (USER_ID, ITEM_ID)


class NoBatchesError(DataError):
    """A table cannot be read in batches; the message is the reason, as a clause."""


@dataclass(frozen=True, slots=True)
class TableBatches:
    """A table of interactions in batches.

    Args:
        schema: names and types of the columns: those of :func:`.typed_interactions`, with ids as plain strings where
            they are text. Parts of a second are there where times may have some.
        batches: begins to read anew.
        parts: the same rows by file, each of which can be read by itself, in another process as well.
        notes: what was recognised without being told, in sentences.
    """

    schema: pa.Schema
    batches: Batches
    parts: tuple[Batches, ...]
    notes: tuple[str, ...] = ()


def text_batches(
    file: RawFile, text: TextFormat, wanted: Mapping[str, str], day_first: bool | None = None
) -> TableBatches:
    """Interactions in delimited text.

    Args:
        file: the file.
        text: its format.
        wanted: the framework's names and those in the file.
        day_first: whether the day comes before the month in dates such as 03/04/2024; None to find out.

    Raises:
        NoBatchesError: a row is too long.
        DataError: a row is of another length, the file is no text in its encoding, or the order of day and month cannot
            be told.
        SourceError: the file cannot be read.
    """
    types, forms = _found_types(file, text, wanted, day_first)
    types = {wanted[role]: pa.string() for role in _IDS} | types
    schema = _schema(types, wanted, forms)

    def typed(one: RawFile) -> Batches:
        return _TypedBatches(partial(_text_parts, one, text, types), dict(wanted), schema, str(one), forms)

    shards = [shard for shard in file.shards() if not _is_empty(shard)]
    notes = (*text.notes, *_notes(wanted, forms, text.names))
    return TableBatches(schema, typed(file), tuple(map(typed, shards)), notes)


def json_batches(
    file: RawFile,
    fields: pa.Schema,
    wanted: Mapping[str, str],
    found: Sequence[str],
    day_first: bool | None = None,
) -> TableBatches:
    """Interactions in JSON lines; see :func:`text_batches`.

    Args:
        file: the file.
        fields: names and types of the fields to read.
        wanted: the framework's names and those in the file.
        found: names of all fields.
        day_first: as for :func:`text_batches`.

    Raises:
        DataError: a line is no JSON object, or has a field of another type, or the order of day and month cannot be
            told.
        SourceError: the file cannot be read.
    """
    types = {field.name: field.type for field in fields}
    # Where nothing is to be scanned the ids are read, so that a file that is no table is refused now.
    scanned = _scanned(types, wanted) or [wanted[USER_ID]]
    parts = json_line_batches(file, pa.schema([fields.field(name) for name in scanned]))
    forms = scan_values(parts, wanted, str(file), day_first)
    schema = _schema(types, wanted, forms)

    def typed(one: RawFile) -> Batches:
        return _TypedBatches(partial(json_line_batches, one, fields), dict(wanted), schema, str(one), forms)

    return TableBatches(schema, typed(file), tuple(map(typed, file.shards())), _notes(wanted, forms, found))


def parquet_table_batches(
    file: RawFile, wanted: Mapping[str, str], found: Sequence[str] = (), day_first: bool | None = None
) -> TableBatches:
    """Interactions in Parquet; see :func:`text_batches`.

    Args:
        file: the file.
        wanted: the framework's names and those in the file.
        found: names of all columns.
        day_first: as for :func:`text_batches`.

    Raises:
        DataError: a file is damaged or lacks a column, or the order of day and month cannot be told.
        SourceError: the file cannot be read.
    """
    stored = parquet_schema(file)
    types = {name: stored.field(name).type for name in wanted.values()}
    forms = ValueForms()
    if scanned := _scanned(types, wanted):
        parts = parquet_batches(file, pa.schema([stored.field(name) for name in scanned]), BATCH_ROWS)
        forms = scan_values(parts, wanted, str(file), day_first)
    schema = _schema(types, wanted, forms)
    read = pa.schema([stored.field(name) for name in wanted.values()])

    def typed(one: RawFile) -> Batches:
        return _TypedBatches(partial(parquet_batches, one, read, BATCH_ROWS), dict(wanted), schema, str(one), forms)

    return TableBatches(schema, typed(file), tuple(map(typed, file.shards())), _notes(wanted, forms, found))


def _scanned(types: Mapping[str, pa.DataType], wanted: Mapping[str, str]) -> list[str]:
    """The columns of which only all values together tell how they are written."""
    return [name for role, name in wanted.items() if must_be_scanned(role, types[name])]


def _notes(wanted: Mapping[str, str], forms: ValueForms, found: Sequence[str]) -> tuple[str, ...]:
    dates = forms.text_times.dates
    order = () if dates is None else order_notes(wanted[TIMESTAMP], dates.order)
    return (*order, *unread_columns(found, wanted))


def _found_types(
    file: RawFile, text: TextFormat, wanted: Mapping[str, str], day_first: bool | None
) -> tuple[dict[str, pa.DataType], ValueForms]:
    """The types of ratings, weights and times that all rows have, and how their values are written."""
    untried = types_to_try(text, wanted)
    while True:
        types = {name: left[0] for name, left in untried.items()}
        # Without such columns the ids are read, so that a file that is no table is refused now.
        parts = _text_parts(file, text, types or {wanted[USER_ID]: pa.string()})
        try:
            return types, scan_values(parts, wanted, str(file), day_first)
        except ColumnTypeError as error:
            if len(untried.get(error.column, ())) < 2:
                raise
            untried[error.column].pop(0)
        except LongRowError as error:
            raise NoBatchesError(str(error)) from error


def _text_parts(file: RawFile, text: TextFormat, types: Mapping[str, pa.DataType]) -> Iterator[pa.Table]:
    raw = dict(zip(text.names, text.raw_names, strict=True))
    form = DelimitedForm(
        plain_text(file, text),
        UNIT_SEPARATOR if len(text.separator) > 1 else text.separator,
        None if text.has_header else text.names,
        "utf-8",
        len(text.separator) == 1,
    )
    with own_words(file, text):
        for part in form.batches({raw[name]: type_ for name, type_ in types.items()}):
            yield part.rename_columns(list(types))


def _is_empty(file: RawFile) -> bool:
    with file.open() as stream:
        return not stream.read(1)


@dataclass(frozen=True, slots=True)
class _TypedBatches:
    """Batches as they are stored, in the framework's columns and types; it can be sent to another process."""

    read: Callable[[], Iterator[pa.Table]]
    wanted: dict[str, str]
    schema: pa.Schema
    place: str
    forms: ValueForms

    def __call__(self) -> Iterator[pa.Table]:
        """Begin to read."""
        first_row = 0
        for part in self.read():
            yield typed_batch(part, self.wanted, self.schema, self.place, self.forms, first_row)
            first_row += len(part)


def _schema(types: Mapping[str, pa.DataType], wanted: Mapping[str, str], forms: ValueForms) -> pa.Schema:
    # Whole numbers are told apart as numbers, and only those that differ become text.
    ids = {role: ID_TYPE if pa.types.is_integer(types[wanted[role]]) else pa.string() for role in _IDS}
    columns: list[tuple[str, pa.DataType]] = list(ids.items())
    columns += [(role, pa.float32()) for role in (RATING, WEIGHT) if role in wanted]
    if TIMESTAMP in wanted:
        type_, numbers = types[wanted[TIMESTAMP]], forms.number_times
        if is_text(type_):
            type_, numbers = forms.text_times.type, forms.text_times.numbers
        is_number = not pa.types.is_temporal(type_)
        is_whole = pa.types.is_integer(type_) and numbers.per_second == 1
        is_beyond = is_number and not pa.types.is_integer(type_) and numbers.largest / numbers.per_second > 2**62
        columns.append((TIMESTAMP, pa.float64() if is_beyond else pa.int64()))
        if not (is_whole or is_beyond or numbers.written or pa.types.is_date(type_)):
            columns.append((SUBSECOND_NS, pa.int32()))
    return pa.schema(columns)


def joined(tables: Sequence[TableBatches]) -> TableBatches:
    """Tables of the same columns as one; parts of a second are there where any has some."""
    names = [*tables[0].schema.names]
    if any(SUBSECOND_NS in table.schema.names for table in tables) and SUBSECOND_NS not in names:
        names.append(SUBSECOND_NS)
    fields = [next(table.schema.field(name) for table in tables if name in table.schema.names) for name in names]
    if any(table.schema.field(TIMESTAMP).type == pa.float64() for table in tables if TIMESTAMP in table.schema.names):
        fields = [pa.field(TIMESTAMP, pa.float64()) if field.name == TIMESTAMP else field for field in fields]
    for place, field in enumerate(fields):
        if field.name in _IDS and any(table.schema.field(field.name).type != field.type for table in tables):
            fields[place] = pa.field(field.name, pa.string())
    schema = pa.schema(fields)
    wholes = tuple(_WithSchema(table.batches, schema) for table in tables)
    parts = tuple(_WithSchema(part, schema) for table in tables for part in table.parts)
    return TableBatches(schema, InTurn(wholes), parts, tuple(note for table in tables for note in table.notes))


@dataclass(frozen=True, slots=True)
class _WithSchema:
    batches: Batches
    schema: pa.Schema

    def __call__(self) -> Iterator[pa.Table]:
        for batch in self.batches():
            if SUBSECOND_NS in self.schema.names and SUBSECOND_NS not in batch.column_names:
                batch = batch.append_column(SUBSECOND_NS, pa.array([0] * len(batch), pa.int32()))
            yield batch.select(self.schema.names).cast(self.schema)
