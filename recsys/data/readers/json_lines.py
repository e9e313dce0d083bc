"""Reader of JSON lines: one JSON object on each line."""

from __future__ import annotations

import ast
import io
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import json as arrow_json

from recsys.data.sources.arrow_stream import arrow_stream
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError

#: Enough for several parallel blocks. Reading takes the memory of a few chunks beyond that of the wanted columns.
_CHUNK_BYTES = 32 << 20
#: The longest line that Arrow takes.
_BLOCK_BYTES = 8 << 20

_TOO_DEEP = "it is nested too deeply"


def read_json_lines(
    file: RawFile,
    schema: pa.Schema,
    required: Sequence[str] = (),
    convert: Callable[[pa.Table], pa.Table] = lambda table: table,
) -> pa.Table:
    """Read fields of JSON lines in the given types; other fields are ignored, whatever they hold.

    A field that is missing in a line is null.

    Args:
        file: the file.
        schema: the fields to read and their types.
        required: fields of which at least one line must have a value.
        convert: applied to each part of the table as soon as it is read, so that text from which something smaller is
            computed is never held for the whole file.

    Returns:
        The table; all its chunks share the same dictionaries.

    Raises:
        DataError: the file is empty or lacks a field, or a line is no JSON object or has a field of another type; the
            message gives the first such line.
        SourceError: the file cannot be read.
    """
    parts = list(json_line_batches(file, schema, required, convert))
    table = pa.concat_tables(parts) if parts else pa.table({})
    if table.num_rows == 0:
        raise DataError(f"{file} has no lines; at least one JSON object is needed. Check that it is the right file.")
    return table.unify_dictionaries()


def json_line_batches(
    file: RawFile,
    schema: pa.Schema,
    required: Sequence[str] = (),
    convert: Callable[[pa.Table], pa.Table] = lambda table: table,
) -> Iterator[pa.Table]:
    """The table of :func:`read_json_lines` in batches, with its arguments and its errors."""
    options = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    lines, rows, lacking = 0, 0, list(required)
    with file.open() as stream:
        for chunk in _chunks(stream):
            try:
                with arrow_stream(io.BytesIO(chunk)) as source:
                    part = arrow_json.read_json(
                        source,
                        read_options=arrow_json.ReadOptions(block_size=_BLOCK_BYTES),
                        parse_options=options,
                    )
                part.validate(full=True)  # Arrow reads text that is not UTF-8 without an error
            except pa.ArrowInvalid as error:
                raise DataError(f"{file}: {_explain(error, chunk, lines, schema)}") from error
            lines, rows = lines + chunk.count(b"\n"), rows + len(part)
            lacking = [name for name in lacking if part[name].null_count == len(part)]
            yield convert(part.select(schema.names))
    if rows and lacking:
        raise DataError(
            f"{file}: no line has the field{'s' if len(lacking) > 1 else ''} {', '.join(map(repr, lacking))}. Check "
            "that it is the right file."
        )


def iterate_objects(file: RawFile, python_literals: bool = False) -> Iterator[dict[str, Any]]:
    """Iterate over the objects of the lines; for files whose fields change their type from line to line.

    Args:
        file: the file.
        python_literals: whether a line may be a Python literal with single quotes instead of JSON, as in some public
            files. It is parsed as data and never executed.

    Raises:
        DataError: a line is no object; the message gives its number.
        SourceError: the file cannot be read.
    """
    with file.open() as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            problem = "it is no object"
            try:
                value = json.loads(line)
            except RecursionError:
                value, problem = None, _TOO_DEEP
            except ValueError as error:
                value, problem = None, _what_is_wrong(error)
                if python_literals:
                    try:
                        value = ast.literal_eval(line.decode("utf-8").strip())
                    except (ValueError, SyntaxError, RecursionError, MemoryError):
                        value = None
            if not isinstance(value, dict):
                raise DataError(f"{file}: {_bad_line(number, line, problem)}")
            yield value


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    """The content in chunks of whole lines."""
    while chunk := stream.read(_CHUNK_BYTES):
        yield chunk if chunk.endswith(b"\n") else chunk + stream.readline()


def _explain(error: pa.ArrowInvalid, chunk: bytes, lines_before: int, schema: pa.Schema) -> str:
    """The error with its line. Arrow counts rows within a block only, so the lines of the chunk are tried in turn."""
    options = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    for number, line in enumerate(chunk.split(b"\n"), start=lines_before + 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except RecursionError:
            return _bad_line(number, line, _TOO_DEEP)
        except ValueError as problem:
            return _bad_line(number, line, _what_is_wrong(problem))
        if not isinstance(value, dict):
            return _bad_line(number, line, "it is no object")
        try:
            with arrow_stream(io.BytesIO(line)) as source:
                arrow_json.read_json(source, parse_options=options)
        except pa.ArrowInvalid as problem:
            for field in schema:
                if field.name in value and not _is_of_type(value[field.name], field.type):
                    shown = json.dumps(value[field.name], ensure_ascii=False)[:100]
                    return (
                        f"field {field.name!r} must hold {_words(field.type)}, but line {number:,} has {shown}. "
                        "Correct the value, or use null if it is unknown."
                    )
            return _bad_line(number, line, str(problem))
    return str(error)


def _what_is_wrong(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"it is no JSON: {error.msg} at character {error.pos + 1}"
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else f"it is no JSON: {error}"


def _bad_line(number: int, line: bytes, problem: str) -> str:
    if line.strip() == b"{":
        return (
            f"each line must be one JSON object, but that of line {number:,} goes on over several lines. Write "
            "each object on one line, or all of them as one array."
        )
    start = line.strip()[:100].decode("utf-8", errors="replace")
    return (
        f"each line must be one JSON object, but line {number:,} is not: {problem}. It begins with {start!r}. Correct "
        "or remove it."
    )


def _is_of_type(value: Any, type_: pa.DataType) -> bool:
    try:
        document = json.dumps({"value": value}).encode()
        options = arrow_json.ParseOptions(explicit_schema=pa.schema([("value", type_)]))
        with arrow_stream(io.BytesIO(document)) as source:
            arrow_json.read_json(source, parse_options=options)
    except pa.ArrowInvalid:
        return False
    return True


def _words(type_: pa.DataType) -> str:
    if pa.types.is_integer(type_):
        return "whole numbers"
    if pa.types.is_floating(type_):
        return "numbers"
    return "text" if pa.types.is_string(type_) else str(type_)
