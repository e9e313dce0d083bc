"""Readers of single tables in CSV, TSV, JSON lines or Parquet; the file name tells the format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import ITEM_ID, RATING, SUBSECOND_NS, TIMESTAMP, USER_ID, WEIGHT
from recsys.data.readers.delimited import ColumnTypeError, read_delimited, read_header
from recsys.data.readers.identifiers import ID_TYPE, as_identifiers, as_strings
from recsys.data.readers.json_lines import iterate_objects, read_json_lines
from recsys.data.readers.numbers import as_numbers, first_uncastable
from recsys.data.readers.parquet import parquet_columns, read_parquet
from recsys.data.readers.required_columns import require_columns
from recsys.data.readers.timestamps import as_times
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError

_SEPARATORS = {"csv": ",", "tsv": "\t"}
_JSON_SUFFIXES = ("jsonl", "json", "ndjson")
#: Types that are tried before text, which takes several times the memory; a wrong type fails in the first rows.
_TIMESTAMP_TYPES = (pa.int64(), pa.float64(), pa.timestamp("us"), pa.timestamp("us", "UTC"))
#: Lines of a JSON file that are read to find the type of a field.
_PEEK_LINES = 1_000


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """Names of the columns in the user's files.

    Args:
        user: column of user ids.
        item: column of item ids.
        rating: column of ratings; None to leave them out. The column may be absent only under its default name.
        timestamp: column of timestamps; the same holds.
        weight: column of how much an interaction counts, such as a quantity; None for none.
    """

    user: str = USER_ID
    item: str = ITEM_ID
    rating: str | None = RATING
    timestamp: str | None = TIMESTAMP
    weight: str | None = None

    def wanted(self, found: Sequence[str], place: str) -> dict[str, str]:
        """The framework's names of the columns to read, and their names among those ``found``.

        Raises:
            DataError: a required column is missing, or one name stands for two columns.
        """
        roles = {USER_ID: self.user, ITEM_ID: self.item, RATING: self.rating, TIMESTAMP: self.timestamp}
        roles |= {WEIGHT: self.weight}
        given = {role: name for role, name in roles.items() if name is not None}
        if len(set(given.values())) < len(given):
            raise DataError(f"data.columns must name each column once, but is {given}.")
        optional = {role for role in (RATING, TIMESTAMP) if roles[role] == role}
        missing = {role: name for role, name in given.items() if name not in found and role not in optional}
        if missing:
            options = ", ".join(f"data.columns.{role.removesuffix('_id')}=NAME" for role in missing)
            raise DataError(
                f"{place} must have the column{'s' if len(missing) > 1 else ''} "
                f"{', '.join(map(repr, missing.values()))}, but its columns are "
                f"{', '.join(map(repr, found)) or 'none'}. Say which column it is with {options}."
            )
        return {role: name for role, name in given.items() if name in found}


def read_interactions(file: RawFile, columns: ColumnNames) -> pa.Table:
    """User, item and, if the file has them, rating, weight (float32) and time; no other columns.

    Times are ``timestamp`` (int64, seconds) and, where they are finer than that, ``subsecond_ns`` (int32).

    Raises:
        DataError: a column is missing or has values of another type, or the file is empty or of an unknown kind.
        SourceError: the file cannot be read.
    """
    kind = _kind(file)
    if kind in _SEPARATORS:
        table, wanted = _interactions_from_text(file, columns, _SEPARATORS[kind])
    elif kind in _JSON_SUFFIXES:
        table, wanted = _interactions_from_json(file, columns)
    else:
        wanted = columns.wanted(parquet_columns(file), str(file))
        table = read_parquet(file, list(wanted.values()), as_dictionary=[wanted[USER_ID], wanted[ITEM_ID]])
    converted = {role: as_identifiers(table[wanted[role]], wanted[role], str(file)) for role in (USER_ID, ITEM_ID)}
    for role in (RATING, WEIGHT):
        if role in wanted:
            converted[role] = as_numbers(table[wanted[role]], wanted[role], str(file))
    if TIMESTAMP in wanted:
        times = as_times(table[wanted[TIMESTAMP]], wanted[TIMESTAMP], str(file))
        converted[TIMESTAMP] = times.seconds
        if times.subsecond_ns is not None:
            converted[SUBSECOND_NS] = times.subsecond_ns
    return pa.table(converted).unify_dictionaries()


def read_entities(file: RawFile, id_name: str, role: str) -> pa.Table:
    """A users or items table: the ids as strings under the name ``role``, and all other columns unchanged.

    Columns of text files become integers or floats if all their values are such numbers, and stay strings otherwise;
    numbers that start with a zero stay strings too.

    Args:
        file: the file.
        id_name: name of the id column there.
        role: ``user_id`` or ``item_id``.

    Raises:
        DataError: the id column is missing, a column mixes types, or the file is empty or of an unknown kind.
        SourceError: the file cannot be read.
    """
    kind = _kind(file)
    if kind in _SEPARATORS:
        header = read_header(file, separator=_SEPARATORS[kind])
        require_columns(header, header, str(file))
        _require_id(header, id_name, role, str(file))
        table = read_delimited(file, dict.fromkeys(header, pa.string()), separator=_SEPARATORS[kind])
        typed = {name: table[name] if name == id_name else _typed(table[name]) for name in header}
    elif kind in _JSON_SUFFIXES:
        typed = _columns_of_objects(file)
        _require_id(list(typed), id_name, role, str(file))
    else:
        table = read_parquet(file)
        _require_id(table.column_names, id_name, role, str(file))
        typed = {name: _plain(table[name]) for name in table.column_names}
    ids = as_strings(typed.pop(id_name), id_name, str(file))
    return pa.table({role: ids} | typed)


def _kind(file: RawFile) -> str:
    """Format of the file, from its name."""
    suffixes = file.name.lower().removesuffix(".gz").split(".")
    kind = suffixes[-1] if len(suffixes) > 1 else ""
    if kind == "pq":
        kind = "parquet"
    zipped_parquet = kind == "parquet" and file.name.lower().endswith(".gz")
    if zipped_parquet or kind not in (*_SEPARATORS, *_JSON_SUFFIXES, "parquet"):
        raise DataError(
            f"{file} must be .csv, .tsv, .jsonl (each also with .gz) or .parquet, but has another ending. Rename "
            "or convert it."
        )
    return kind


def _require_id(found: Sequence[str], id_name: str, role: str, place: str) -> None:
    if id_name not in found:
        raise DataError(
            f"{place} must have the column {id_name!r}, but its columns are {', '.join(map(repr, found)) or 'none'}. "
            f"Say which column it is with data.columns.{role.removesuffix('_id')}=NAME."
        )
    if id_name != role and role in found:
        raise DataError(f"{place} has a column {role!r} beside the ids in {id_name!r}. Rename or remove it.")


def _interactions_from_text(file: RawFile, columns: ColumnNames, separator: str) -> tuple[pa.Table, Mapping[str, str]]:
    wanted = columns.wanted(read_header(file, separator=separator), str(file))
    types = {wanted[USER_ID]: ID_TYPE, wanted[ITEM_ID]: ID_TYPE}
    types |= {wanted[role]: pa.float32() for role in (RATING, WEIGHT) if role in wanted}
    if TIMESTAMP not in wanted:
        return read_delimited(file, types, separator=separator), wanted
    for type_ in _TIMESTAMP_TYPES:
        try:
            return read_delimited(file, types | {wanted[TIMESTAMP]: type_}, separator=separator), wanted
        except ColumnTypeError as error:
            if error.column != wanted[TIMESTAMP]:
                raise
    return read_delimited(file, types | {wanted[TIMESTAMP]: pa.string()}, separator=separator), wanted


def _interactions_from_json(file: RawFile, columns: ColumnNames) -> tuple[pa.Table, Mapping[str, str]]:
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

    def encode_ids(part: pa.Table) -> pa.Table:
        for role in (USER_ID, ITEM_ID):
            ids = as_identifiers(part[wanted[role]], wanted[role], str(file))
            part = part.set_column(part.column_names.index(wanted[role]), wanted[role], ids)
        return part

    return read_json_lines(file, pa.schema(list(types.items())), convert=encode_ids), wanted


def _columns_of_objects(file: RawFile) -> dict[str, pa.ChunkedArray]:
    objects = list(iterate_objects(file))
    if not objects:
        raise DataError(f"{file} has no lines; at least one JSON object is needed. Check that it is the right file.")
    columns = {}
    for name in dict.fromkeys(name for line in objects for name in line):
        values = [line.get(name) for line in objects]
        try:
            columns[name] = pa.chunked_array([pa.array(values)])
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise DataError(f"{file}: field {name!r} must be of one type, but {error}. Make it one type.") from error
    return columns


def _typed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of text as numbers if all its values are numbers without leading zeros; empty text becomes null."""
    text = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    if text.null_count == len(text) or pc.any(pc.match_substring_regex(text, r"^[+-]?0\d")).as_py():
        return text
    for type_ in (pa.int64(), pa.float64()):
        if first_uncastable(text, type_) is None:
            return text.cast(type_)
    return text


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column with plain types: strings instead of large strings or dictionaries, lists instead of large lists."""
    type_ = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_large_string(type_):
        type_ = pa.string()
    elif pa.types.is_large_list(type_) or pa.types.is_list(type_):
        value = pa.string() if pa.types.is_large_string(type_.value_type) else type_.value_type
        type_ = pa.list_(value)
    return column if type_ == column.type else column.cast(type_)
