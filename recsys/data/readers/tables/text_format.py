"""Recognises how a text file holds a table: what separates its fields, and whether its first line names the columns."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recsys.data.readers.tables.text_sample import TextSample, check_encoding, read_sample
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError

#: What may separate the fields, in the order in which they are named.
SEPARATORS = (",", "\t", ";", "|", "::")

_SPELLED = {"\t": "tab", "\\t": "tab"}
#: What a user may write for a separator that is hard to type.
_NAMED = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")

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


@dataclass(frozen=True, slots=True)
class TextFormat:
    """How one file holds its table.

    Args:
        separator: what separates the fields.
        encoding: that of the text.
        has_header: whether the first line is the names.
        names: names of all columns.
        old_line_ends: whether lines end in a carriage return alone.
        notes: what was recognised and not told, in sentences.
    """

    separator: str
    encoding: str
    has_header: bool
    names: tuple[str, ...]
    old_line_ends: bool
    notes: tuple[str, ...]


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
            f"in {{interactions: ';', items: tab}}, but is {separator!r}."
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
    separator = settings.separator
    if separator is None:
        separator = _recognise_separator(file, sample, default, required)
    rows = split_lines(sample.lines, separator)
    if rows is None:
        raise DataError(
            f"{file}: the first line is no row of fields separated by {_quoted(separator)}: it has a field that is "
            "longer than 128 kB, or quotes that do not end. Correct it, or check that it is the right file."
        )
    notes = []
    if separator != default and settings.separator is None:
        notes.append(f"fields are separated by {_quoted(separator)}, as recognised")
    if settings.encoding is None and sample.encoding != "utf-8":
        notes.append(f"the text is {sample.encoding.upper()}, as its byte order mark says")
    if sample.old_line_ends:
        notes.append("lines end in carriage returns alone, as on old Macs")
    header = settings.header
    if header is None:
        _check_header(file, rows, required)
    names = _names(file, rows[0], header, required)
    return TextFormat(separator, sample.encoding, header in (None, True), names, sample.old_line_ends, tuple(notes))


def split_lines(lines: Sequence[str], separator: str) -> list[list[str]] | None:
    """The fields of lines, or None if they cannot be split. Fields may be in quotes unless the separator is long."""
    if len(separator) > 1:
        return [line.split(separator) for line in lines]
    rows = []
    reader = csv.reader(lines, delimiter=separator)
    try:
        for row in reader:
            rows.append(row)  # noqa: PERF402 - the rows before one that cannot be split count
    except csv.Error:
        pass
    return rows or None


def _recognise_separator(file: RawFile, sample: TextSample, default: str | None, required: Sequence[str]) -> str:
    ordered = [default, *(separator for separator in SEPARATORS if separator != default)] if default else SEPARATORS
    split = {separator: split_lines(sample.lines, separator) for separator in ordered}
    named = [separator for separator, rows in split.items() if rows and set(required) <= set(rows[0])]
    if named:
        return default if default in named else max(named, key=lambda separator: len((split[separator] or [[]])[0]))
    widths = {separator: _width(rows) for separator, rows in split.items()}
    widest = max(widths.values())
    likely = [separator for separator in ordered if widths[separator] == widest > 1]
    if len(likely) == 1 or default in likely:
        return default if default in likely else likely[0]
    if not likely:
        # One column, or lines that differ in their fields, which reading tells better.
        counts = Counter({separator: sample.lines[0].count(separator) for separator in ordered})
        return default or counts.most_common(1)[0][0]
    raise DataError(
        f"{file}: the fields may be separated by {' or by '.join(map(_quoted, likely))}; the first line is "
        f"{sample.lines[0][:100]!r}. Say which it is with data.separator='{likely[0]}'."
    )


def _width(rows: list[list[str]] | None) -> int:
    """Number of fields if all rows have the same, and 0 otherwise."""
    widths = {len(row) for row in rows or ()}
    return widths.pop() if len(widths) == 1 else 0


def _names(
    file: RawFile, first: list[str], header: bool | tuple[str, ...] | None, required: Sequence[str]
) -> tuple[str, ...]:
    if header in (None, True):
        return tuple(first)
    if isinstance(header, tuple):
        if len(header) != len(first) or len(set(header)) < len(header):
            raise DataError(
                f"{file}: data.header must name each of the {len(first)} columns once, but is [{', '.join(header)}]; "
                f"the first row is {_shown(first)}."
            )
        if list(header) == first:
            raise DataError(f"{file}: the first line has the names of data.header already. Leave data.header out.")
        return header
    names = tuple(map(str, range(len(first))))
    if not set(required) <= set(names):
        raise DataError(
            f"{file} is without a header (data.header=false), so its columns are called 0 to {len(first) - 1}. The "
            f"first row is {_shown(first)}. Say which is which, {_advice(first, required)}."
        )
    return names


def _check_header(file: RawFile, rows: list[list[str]], required: Sequence[str]) -> None:
    """Refuse a first line that seems to be a row: its values would be lost as names of columns."""
    first, below = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    usual = {"user_id", "item_id"}
    if set(required) <= set(first) and set(required) & usual:
        return
    cells = [cell.strip() for cell in first]
    chosen = [place for place, cell in enumerate(first) if cell in required] if set(required) <= set(first) else None
    looked_at = range(len(cells)) if chosen is None else chosen
    repeated = any(cells[place] and cells[place] in {row[place].strip() for row in below} for place in looked_at)
    numbers = sum(_NUMBER.fullmatch(cell) is not None for cell in cells)
    if repeated or 2 * numbers >= len(cells) or any(_NUMBER.fullmatch(cells[place]) for place in chosen or ()):
        raise DataError(
            f"{file} seems to have no header: its first line is {_shown(first)}. Set data.header=false and say which "
            f"column is which, {_advice(first, required)}; or set data.header=true if these are its columns' names."
        )


def _advice(first: list[str], required: Sequence[str]) -> str:
    """The settings that fit a file without a header, guessed by position."""
    if len(required) == 1:
        return "by names for all columns, as in data.header=[item_id,title,genres]"
    keys = ["user", "item"]
    numbers = [_NUMBER.fullmatch(cell.strip()) is not None for cell in first]
    if len(first) > 2 and numbers[2]:
        keys.append("rating")
    if len(first) > 3 and len(keys) == 3 and len(first[3]) >= 8:
        keys.append("timestamp")
    return "counted from 0, such as " + " ".join(f"data.columns.{key}={place}" for place, key in enumerate(keys))


def _shown(first: list[str]) -> str:
    return ", ".join(repr(cell[:40]) for cell in first[:8]) + (", ..." if len(first) > 8 else "")


def _quoted(separator: str) -> str:
    return _SPELLED.get(separator, repr(separator))
