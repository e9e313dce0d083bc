"""Recognises how a text file holds a table: what separates its fields, and whether its first line names the columns."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from recsys.data.readers.tables.text_header import column_names
from recsys.data.readers.tables.text_sample import TextSample, check_encoding, read_sample
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError

#: What may separate the fields, in the order in which they are named.
SEPARATORS = (",", "\t", ";", "|", "::")

_BY_TABLE = "interactions: ';', items: tab"

_SPELLED = {"\t": "tab", "\\t": "tab"}
#: What a user may write for a separator that is hard to type.
_NAMED = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}

#: Share of the lines that must have as many fields as the first; a few may be damaged.
_NEARLY_ALL = 0.9

#: Names of the columns, or whether the first line has them; None to find out.
Header = bool | Sequence[str] | None


@dataclass(frozen=True, slots=True)
class TextSettings:
    """What the user says of the format of one file.

    Args:
        separator: what separates the fields; None to recognise it.
        encoding: that of the text; None for UTF-8, or what a byte order mark says.
        header: True if the first line has the names of the columns; False if there is none, and columns are called by
            their positions from 0; or the names themselves, for a file without a header; None for True where nothing
            speaks against it.
    """

    separator: str | None = None
    encoding: str | None = None
    header: bool | tuple[str, ...] | None = None
    part: str = "interactions"


@dataclass(frozen=True, slots=True)
class TextFormat:
    """How one file holds its table.

    Args:
        separator: what separates the fields.
        encoding: that of the text.
        has_header: whether the first line is the names.
        names: names of all columns.
        raw_names: the same as the file has them, with the white space around them.
        old_line_ends: whether lines end in a carriage return alone.
        notes: what was recognised and not told, in sentences.
        skips_line: whether the first line says what the separator is, and is no part of the table.
    """

    separator: str
    encoding: str
    has_header: bool
    names: tuple[str, ...]
    raw_names: tuple[str, ...]
    old_line_ends: bool
    notes: tuple[str, ...]
    skips_line: bool = False


def parse_settings(part: str, separator: object, encoding: object, header: object) -> TextSettings:
    """The settings of one table.

    Args:
        part: its name, such as ``items``.
        separator: ``data.separator``: one for all tables, or one for each by their names.
        encoding: ``data.encoding``, the same.
        header: ``data.header``, the same.

    Raises:
        DataError: a setting is none of these.
    """
    separator, encoding, header = (
        value.get(part) if isinstance(value, Mapping) else value for value in (separator, encoding, header)
    )
    if not (separator is None or (isinstance(separator, str) and 1 <= len(_NAMED.get(separator, separator)) <= 2)):
        raise DataError(
            "data.separator must be what separates two fields, such as ';', '|', '::' or tab, or one for each table as "
            f"in {{{_BY_TABLE}}}, but is {separator!r}."
        )
    if not (encoding is None or isinstance(encoding, str)):
        raise DataError(f"data.encoding must be an encoding of text, such as latin-1, but is {encoding!r}.")
    is_names = isinstance(header, Sequence) and not isinstance(header, str) and len(header) > 0
    if not (header is None or isinstance(header, bool) or is_names):
        raise DataError(
            "data.header must be true, false or the names of the columns as in [user_id,item_id,rating], or one of "
            f"these for each table as in {{interactions: false, items: [item_id,title]}}, but is {header!r}."
        )
    return TextSettings(
        None if separator is None else _NAMED.get(separator, separator),
        None if encoding is None else check_encoding(encoding),
        tuple(map(str, header)) if isinstance(header, Sequence) else header,  # type: ignore[arg-type]
        part,
    )


def recognise(file: RawFile, settings: TextSettings, default: str | None, required: Sequence[str]) -> TextFormat:
    """The format of ``file``.

    Args:
        file: the file.
        settings: what the user says of it, which is not questioned.
        default: the separator that the file's name suggests; None if it suggests none.
        required: names of columns that a header must have. A separator that brings them about is the right one.

    Raises:
        DataError: two separators are equally likely, a header seems to be missing, or the text cannot be read.
        SourceError: the file cannot be read.
    """
    sample = read_sample(file, settings.encoding)
    separator = settings.separator or sample.said_separator
    if separator is None:
        separator = _recognise_separator(file, sample, default, required)
    rows = split_lines(sample.lines, separator)
    if rows is not None and settings.separator is not None:
        _check_separator(file, sample, rows, separator)
    if rows is None:
        raise DataError(
            f"{file}: the first line is no row of fields separated by {_quoted(separator)}: it has a field that is "
            "longer than 128 kB, or quotes that do not end. Correct it, or check that it is the right file."
        )
    notes = []
    if sample.said_separator is not None and settings.separator is None:
        notes.append(f"fields are separated by {_quoted(separator)}, as the first line says")
    elif separator != default and settings.separator is None:
        notes.append(f"fields are separated by {_quoted(separator)}, as recognised")
    if settings.encoding is None and sample.encoding != "utf-8":
        notes.append(f"the text is {sample.encoding.upper()}, as its byte order mark says")
    if sample.old_line_ends:
        notes.append("lines end in carriage returns alone, as on old Macs")
    names = column_names(str(file), rows, settings.header, required, settings.part)
    has_header = settings.header in (None, True)
    raw_names = tuple(rows[0]) if has_header else names
    return TextFormat(
        separator,
        sample.encoding,
        has_header,
        names,
        raw_names,
        sample.old_line_ends,
        tuple(notes),
        skips_line=sample.said_separator is not None,
    )


def split_lines(lines: Sequence[str], separator: str) -> list[list[str]] | None:
    """The fields of lines, or None if they cannot be split. Fields may be in quotes unless the separator is long."""
    if len(separator) > 1:
        return [line.split(separator) for line in lines]
    rows: list[list[str]] = []
    with suppress(csv.Error):  # the rows before one that cannot be split count
        rows.extend(csv.reader(lines, delimiter=separator))
    return rows or None


def _recognise_separator(file: RawFile, sample: TextSample, default: str | None, required: Sequence[str]) -> str:
    ordered = [default, *(separator for separator in SEPARATORS if separator != default)] if default else SEPARATORS
    split = {separator: split_lines(sample.lines, separator) for separator in ordered}
    named = [
        separator
        for separator, rows in split.items()
        if required and rows and set(required) <= {name.strip() for name in rows[0]}
    ]
    if named:
        return default if default in named else max(named, key=lambda separator: len((split[separator] or [[]])[0]))
    widths = {separator: _width(rows) for separator, rows in split.items()}
    widest = max(widths.values())
    likely = [separator for separator in ordered if widths[separator] == widest > 1]
    if len(likely) == 1 or default in likely:
        return default if default in likely else likely[0]
    if not likely:
        # One column, or lines that differ in their fields, which reading tells better.
        return max(ordered, key=sample.lines[0].count)
    raise DataError(
        f"{file}: the fields may be separated by {' or by '.join(map(_quoted, likely))}; the first line is "
        f"{sample.lines[0][:100]!r}. Say which it is with data.separator='{likely[0]}'."
    )


def _check_separator(file: RawFile, sample: TextSample, rows: list[list[str]], separator: str) -> None:
    """Refuse a separator of the user that divides nothing, where another one would."""
    others = [other for other in SEPARATORS if other != separator and _width(split_lines(sample.lines, other)) > 1]
    if max(map(len, rows)) == 1 and others:
        raise DataError(
            f"{file}: data.separator is {_quoted(separator)}, which is nowhere in it, and fields seem to be separated "
            f"by {' or by '.join(map(_quoted, others))}; the first line is {sample.lines[0][:100]!r}. Correct the "
            f"setting, or leave it out. One that differs by table is {{{_BY_TABLE}}}."
        )


def _width(rows: list[list[str]] | None) -> int:
    """Number of fields of the first row if nearly all rows have as many, and 0 otherwise."""
    if not rows:
        return 0
    same = sum(len(row) == len(rows[0]) for row in rows)
    return len(rows[0]) if same >= _NEARLY_ALL * len(rows) else 0


def _quoted(separator: str) -> str:
    return _SPELLED.get(separator, repr(separator))
