"""Readers of single tables in delimited text, JSON or Parquet; the file name tells which of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa

from recsys.data.columns import ITEM_ID, USER_ID
from recsys.data.readers.identifiers import as_identifiers
from recsys.data.readers.json_lines import iterate_objects, read_json_lines
from recsys.data.readers.parquet import parquet_columns, read_parquet
from recsys.data.readers.required_columns import require_columns
from recsys.data.readers.tables.column_names import ColumnNames, id_column
from recsys.data.readers.tables.json_array import as_json_lines
from recsys.data.readers.tables.table_batches import TableBatches, json_batches, parquet_table_batches, text_batches
from recsys.data.readers.tables.text_format import TextSettings, recognise
from recsys.data.readers.tables.text_tables import read_text_entities, read_text_interactions
from recsys.data.readers.tables.typed_columns import ReadTable, typed_entities, typed_interactions, unread_columns
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError

#: Endings of delimited text, and the separator that each suggests.
_SEPARATORS = {"csv": ",", "tsv": "\t", "tab": "\t", "txt": None, "dat": None, "data": None}
_JSON_SUFFIXES = ("jsonl", "json", "ndjson")
#: Lines of a JSON file that are read to find the type of a field.
_PEEK_LINES = 1_000

#: Nothing is known of a text file but what it shows.
_RECOGNISED = TextSettings()


@dataclass(frozen=True, slots=True)
class FileTable:
    """One table in a file.

    Args:
        file: where it is.
        settings: what the user says of its format, if it is text.
    """

    file: RawFile
    settings: TextSettings = TextSettings()

    def __str__(self) -> str:
        return str(self.file)

    def read_interactions(self, columns: ColumnNames, day_first: bool | None = None) -> ReadTable:
        """See :func:`read_interactions`."""
        return read_interactions(self.file, columns, self.settings, day_first)

    def read_entities(self, id_name: str, role: str) -> ReadTable:
        """See :func:`read_entities`."""
        return read_entities(self.file, id_name, role, self.settings)

    def batches(self, columns: ColumnNames, day_first: bool | None = None) -> TableBatches:
        """See :func:`interaction_batches`."""
        return interaction_batches(self.file, columns, self.settings, day_first)

    def num_bytes(self) -> int:
        """About the size of the table as text.

        Raises:
            SourceError: a file is not there.
        """
        return sum(shard.num_bytes() for shard in self.file.shards())


def read_interactions(
    file: RawFile, columns: ColumnNames, settings: TextSettings = _RECOGNISED, day_first: bool | None = None
) -> ReadTable:
    """User, item and, if the file has them, rating, weight (float32) and time; no other columns.

    Times are ``timestamp`` (int64, seconds) and, where they are finer than that, ``subsecond_ns`` (int32).

    Args:
        file: the file.
        columns: names of the columns.
        settings: what is known of the format of text.
        day_first: whether the day comes before the month in dates such as 03/04/2024; None to find out.

    Raises:
        DataError: a column is missing or has values of another type, or the file is empty or of an unknown kind.
        SourceError: the file cannot be read.
    """
    kind = _kind(file)
    notes: tuple[str, ...] = ()
    found: Sequence[str]
    wanted: Mapping[str, str]
    if kind in _SEPARATORS:
        text = recognise(file, settings, _SEPARATORS[kind], columns.required)
        wanted, found, notes = columns.wanted(text.names, str(file)), text.names, text.notes
        table = read_text_interactions(file, text, wanted)
    elif kind in _JSON_SUFFIXES:
        lines = as_json_lines(file)
        fields = _json_fields(lines, columns)
        table, wanted, found = _interactions_from_json(lines, fields), fields.wanted, fields.found
    else:
        found = parquet_columns(file)
        wanted = columns.wanted(found, str(file))
        table = read_parquet(file, list(wanted.values()), as_dictionary=[wanted[USER_ID], wanted[ITEM_ID]])
    read = typed_interactions(table, wanted, str(file), day_first)
    return ReadTable(read.table, (*notes, *read.notes, *unread_columns(found, wanted)))


def interaction_batches(
    file: RawFile, columns: ColumnNames, settings: TextSettings = _RECOGNISED, day_first: bool | None = None
) -> TableBatches:
    """The table of :func:`read_interactions` in batches, with its arguments.

    Raises:
        NoBatchesError: it must be read at once.
        DataError: a column is missing or has values of another type, or the file is empty or of an unknown kind.
        SourceError: the file cannot be read.
    """
    kind = _kind(file)
    if kind in _SEPARATORS:
        text = recognise(file, settings, _SEPARATORS[kind], columns.required)
        return text_batches(file, text, columns.wanted(text.names, str(file)), day_first)
    if kind in _JSON_SUFFIXES:
        lines = as_json_lines(file)
        fields = _json_fields(lines, columns)
        return json_batches(lines, fields.schema, fields.wanted, fields.found, day_first)
    found = parquet_columns(file)
    return parquet_table_batches(file, columns.wanted(found, str(file)), found, day_first)


def read_entities(file: RawFile, id_name: str, role: str, settings: TextSettings = _RECOGNISED) -> ReadTable:
    """A users or items table: the ids as strings under the name ``role``, and all other columns unchanged.

    Columns of text files become integers or floats if all their values are such numbers, and stay strings otherwise;
    numbers that start with a zero stay strings too.

    Args:
        file: the file.
        id_name: name of the id column in the interactions; see
            :func:`recsys.data.readers.tables.column_names.id_column`.
        role: ``user_id`` or ``item_id``.
        settings: what is known of the format of text.

    Raises:
        DataError: the id column is missing, a column mixes types, or the file is empty or of an unknown kind.
        SourceError: the file cannot be read.
    """
    kind = _kind(file)
    notes: tuple[str, ...] = ()
    if kind in _SEPARATORS:
        text = recognise(file, settings, _SEPARATORS[kind], (id_name,))
        require_columns(text.names, text.names, str(file))
        id_name = id_column(text.names, id_name, role, str(file))
        read = read_text_entities(file, text, id_name)
        typed, notes = read.columns, (*text.notes, *read.notes)
    elif kind in _JSON_SUFFIXES:
        typed = _columns_of_objects(as_json_lines(file))
        id_name = id_column(list(typed), id_name, role, str(file))
    else:
        table = read_parquet(file)
        id_name = id_column(table.column_names, id_name, role, str(file))
        typed = {name: table[name] for name in table.column_names}
    return ReadTable(typed_entities(typed, id_name, role, str(file)), notes)


def _kind(file: RawFile) -> str:
    """Format of the file, from its name."""
    suffixes = file.name.lower().removesuffix(".gz").split(".")
    kind = suffixes[-1] if len(suffixes) > 1 else ""
    if kind == "pq":
        kind = "parquet"
    zipped_parquet = kind == "parquet" and file.name.lower().endswith(".gz")
    if zipped_parquet or kind not in (*_SEPARATORS, *_JSON_SUFFIXES, "parquet"):
        raise DataError(
            f"{file} must be .csv, .tsv, .txt, .dat, .json, .jsonl (each also with .gz) or .parquet, but has another "
            "ending. Rename or convert it."
        )
    return kind


@dataclass(frozen=True, slots=True)
class _JsonFields:
    """Fields of JSON lines.

    Args:
        schema: those that are read, and their types.
        wanted: the framework's names and those in the file.
        found: names of all fields.
    """

    schema: pa.Schema
    wanted: Mapping[str, str]
    found: Sequence[str]


def _json_fields(file: RawFile, columns: ColumnNames) -> _JsonFields:
    """The type of each field is that of its first value; a file that mixes types is refused with the line."""
    first: dict[str, Any] = {}
    for line in islice(iterate_objects(file), _PEEK_LINES):
        first |= {name: value for name, value in line.items() if first.get(name) is None}
    if not first:
        raise DataError(f"{file} has no fields; each line must be one JSON object. Check that it is the right file.")
    wanted = columns.wanted(list(first), str(file))
    types = {}
    for role, name in wanted.items():
        value = first[name]
        if isinstance(value, bool) or not isinstance(value, int | float | str | None):
            raise DataError(f"{file}: field {name!r} must hold text or numbers, but has {value!r}. Convert it.")
        whole_number_id = role in (USER_ID, ITEM_ID) and isinstance(value, int)
        number = pa.int64() if whole_number_id else pa.float64()
        types[name] = pa.string() if isinstance(value, str | None) else number
    return _JsonFields(pa.schema(list(types.items())), wanted, list(first))


def _interactions_from_json(file: RawFile, fields: _JsonFields) -> pa.Table:
    def encode_ids(part: pa.Table) -> pa.Table:
        for role in (USER_ID, ITEM_ID):
            name = fields.wanted[role]
            ids = as_identifiers(part[name], name, str(file))
            part = part.set_column(part.column_names.index(name), name, ids)
        return part

    return read_json_lines(file, fields.schema, convert=encode_ids)


def _columns_of_objects(file: RawFile) -> dict[str, pa.ChunkedArray]:
    objects = list(iterate_objects(file))
    if not objects:
        raise DataError(f"{file} has no lines; at least one JSON object is needed. Check that it is the right file.")
    columns = {}
    for name in dict.fromkeys(name for line in objects for name in line):
        values = [line.get(name) for line in objects]
        try:
            columns[name] = pa.chunked_array([pa.array(values)])
        except (pa.ArrowException, OverflowError, UnicodeError) as error:
            raise DataError(
                f"{file}: field {name!r} must be of one type, and hold no text or number beyond it, but {error}. "
                "Correct its values."
            ) from error
    return columns
