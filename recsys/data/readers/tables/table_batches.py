"""Interactions in files, read in batches: first how numbers are written is found out in all rows, then rows are read.

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
from recsys.data.readers.number_times import NumberTimes, NumberTimesScan
from recsys.data.readers.numbers import as_numbers
from recsys.data.readers.parquet import parquet_batches, parquet_schema
from recsys.data.readers.tables.converted_text import UNIT_SEPARATOR
from recsys.data.readers.tables.text_format import TextFormat
from recsys.data.readers.tables.text_tables import own_words, plain_text, types_to_try
from recsys.data.readers.tables.typed_columns import typed_batch
from recsys.data.readers.timestamps import WholeColumn
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
    file: RawFile, text: TextFormat, wanted: Mapping[str, str], notes: tuple[str, ...] = ()
) -> TableBatches:
    """Interactions in delimited text.

    Args:
        file: the file.
        text: its format.
        wanted: the framework's names and those in the file.
        notes: on the table.

    Raises:
        NoBatchesError: a column is text of which only all rows together tell how it is written, or a row is too long.
        DataError: a row is of another length, or the file is no text in its encoding.
        SourceError: the file cannot be read.
    """
    types, numbers = _found_types(file, text, wanted)
    types = {wanted[role]: pa.string() for role in _IDS} | types
    schema = _schema(types, wanted, numbers)

    def typed(one: RawFile) -> Batches:
        return _TypedBatches(partial(_text_parts, one, text, types), dict(wanted), schema, str(one), numbers)

    shards = [shard for shard in file.shards() if not _is_empty(shard)]
    return TableBatches(schema, typed(file), tuple(map(typed, shards)), notes)


def json_batches(
    file: RawFile, fields: pa.Schema, wanted: Mapping[str, str], notes: tuple[str, ...] = ()
) -> TableBatches:
    """Interactions in JSON lines; see :func:`text_batches`.

    Args:
        file: the file.
        fields: names and types of the fields to read.
        wanted: the framework's names and those in the file.
        notes: on the table.

    Raises:
        NoBatchesError: a field is text of which only all rows together tell how it is written.
        DataError: a line is no JSON object, or has a field of another type.
        SourceError: the file cannot be read.
    """
    types = {field.name: field.type for field in fields}
    _refuse_text({name: types[name] for role, name in wanted.items() if role not in _IDS}, file)
    times = [wanted[TIMESTAMP]] if TIMESTAMP in wanted else []
    # Without times the ids are read, so that a file that is no table is refused now.
    seen = pa.schema([fields.field(name) for name in times or [wanted[USER_ID]]])
    numbers = _scan(json_line_batches(file, seen), wanted, str(file))
    schema = _schema(types, wanted, numbers)

    def typed(one: RawFile) -> Batches:
        return _TypedBatches(partial(json_line_batches, one, fields), dict(wanted), schema, str(one), numbers)

    return TableBatches(schema, typed(file), tuple(map(typed, file.shards())), notes)


def parquet_table_batches(file: RawFile, wanted: Mapping[str, str], notes: tuple[str, ...] = ()) -> TableBatches:
    """Interactions in Parquet; see :func:`text_batches`.

    Raises:
        NoBatchesError: a column is text of which only all rows together tell how it is written.
        DataError: a file is damaged or lacks a column.
        SourceError: the file cannot be read.
    """
    schema = parquet_schema(file)
    types = {name: schema.field(name).type for name in wanted.values()}
    others = {name: types[name] for role, name in wanted.items() if role not in _IDS}
    _refuse_text(others, file)
    times = [wanted[TIMESTAMP]] if TIMESTAMP in wanted and not pa.types.is_temporal(types[wanted[TIMESTAMP]]) else []
    stored = pa.schema([schema.field(name) for name in wanted.values()])
    numbers = NumberTimes()
    if times:
        numbers = _scan(parquet_batches(file, pa.schema([schema.field(*times)]), BATCH_ROWS), wanted, str(file))
    typed_schema = _schema(types, wanted, numbers)

    def typed(one: RawFile) -> Batches:
        read = partial(parquet_batches, one, stored, BATCH_ROWS)
        return _TypedBatches(read, dict(wanted), typed_schema, str(one), numbers)

    return TableBatches(typed_schema, typed(file), tuple(map(typed, file.shards())), notes)


def _found_types(
    file: RawFile, text: TextFormat, wanted: Mapping[str, str]
) -> tuple[dict[str, pa.DataType], NumberTimes]:
    """The types of ratings, weights and times that all rows have, and how times are written."""
    untried = types_to_try(text, wanted)
    while True:
        types = {name: left[0] for name, left in untried.items()}
        _refuse_text(types, file)
        try:
            # Without such columns the ids are read, so that a file that is no table is refused now.
            return types, _scan(_text_parts(file, text, types or {wanted[USER_ID]: pa.string()}), wanted, str(file))
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


def _refuse_text(types: Mapping[str, pa.DataType], file: RawFile) -> None:
    for name, type_ in types.items():
        plain = type_.value_type if pa.types.is_dictionary(type_) else type_
        if pa.types.is_string(plain) or pa.types.is_large_string(plain) or pa.types.is_string_view(plain):
            raise NoBatchesError(f"{file} has text in column {name!r}, which only all rows together explain")


def _scan(parts: Iterator[pa.Table], wanted: Mapping[str, str], place: str) -> NumberTimes:
    """How times are written, if they are numbers; all parts are read."""
    scan = NumberTimesScan()
    for part in parts:
        if TIMESTAMP in wanted and not pa.types.is_temporal((column := part[wanted[TIMESTAMP]]).type):
            whole = pa.types.is_integer(column.type)
            scan.add(column.cast(pa.int64()) if whole else as_numbers(column, wanted[TIMESTAMP], place, pa.float64()))
    return scan.form()


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
    numbers: NumberTimes

    def __call__(self) -> Iterator[pa.Table]:
        """Begin to read."""
        first_row = 0
        for part in self.read():
            yield typed_batch(part, self.wanted, self.schema, self.place, WholeColumn(self.numbers, first_row))
            first_row += len(part)


def _schema(types: Mapping[str, pa.DataType], wanted: Mapping[str, str], numbers: NumberTimes) -> pa.Schema:
    # Whole numbers are told apart as numbers, and only those that differ become text.
    ids = {role: ID_TYPE if pa.types.is_integer(types[wanted[role]]) else pa.string() for role in _IDS}
    columns: list[tuple[str, pa.DataType]] = list(ids.items())
    columns += [(role, pa.float32()) for role in (RATING, WEIGHT) if role in wanted]
    if TIMESTAMP in wanted:
        type_ = types[wanted[TIMESTAMP]]
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
