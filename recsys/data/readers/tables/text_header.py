"""The names of the columns of a text file: from its first line, from the user, or by position."""

from __future__ import annotations

import re
from collections.abc import Sequence

from recsys.data.columns import ITEM_ID, USER_ID
from recsys.errors import DataError

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
#: Names that no row has in place of ids.
_USUAL = {USER_ID, ITEM_ID}
#: A number of at least so many characters is rather a time than a rating.
_TIME_CHARACTERS = 8


def column_names(
    place: str, rows: Sequence[list[str]], header: bool | tuple[str, ...] | None, required: Sequence[str], part: str
) -> tuple[str, ...]:
    """The names of all columns, without white space around them.

    Args:
        place: the file, for messages.
        rows: the first rows of the file, at least one.
        header: what the user says, see :class:`recsys.data.readers.tables.text_format.TextSettings`.
        required: names that must be among them if the first line is a header.
        part: name of the table, such as ``items``.

    Raises:
        DataError: the first line seems to be a row where names are needed, or names where there should be none, or the
            names that the user gives do not fit.
    """
    first = rows[0]
    if header is None:
        _check_is_header(place, rows, required, part)
    if header is None or header is True:
        return tuple(name.strip() for name in first)
    if _USUAL & {cell.strip() for cell in first}:
        raise DataError(
            f"{place} is said to have no header (data.header), but its first line has names: {_shown(first)}. Leave "
            f"data.header out, or say it of other tables alone, as in data.header={{{_other(part)}: false}}."
        )
    if header is not False:
        if len(header) != len(first) or len(set(header)) < len(header):
            raise DataError(
                f"{place}: data.header must name each of the {len(first)} columns once, but is [{', '.join(header)}]; "
                f"the first row is {_shown(first)}."
            )
        return header
    names = tuple(map(str, range(len(first))))
    if not set(required) <= set(names):
        raise DataError(
            f"{place} is without a header (data.header=false), so its columns are called 0 to {len(first) - 1}. The "
            f"first row is {_shown(first)}. {_advice(first, part)}."
        )
    return names


def _check_is_header(place: str, rows: Sequence[list[str]], required: Sequence[str], part: str) -> None:
    """Refuse a first line that seems to be a row: its values would be lost as names of columns."""
    first, below = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    cells = [cell.strip() for cell in first]
    if _USUAL & set(cells):
        return
    chosen = [place for place, cell in enumerate(cells) if cell in required]
    looked_at = chosen if len(chosen) == len(required) else range(len(cells))
    repeated = any(cells[place] and cells[place] in {row[place].strip() for row in below} for place in looked_at)
    if repeated or any(map(_is_number, cells)):
        raise DataError(
            f"{place} seems to have no header: its first line is {_shown(first)}. {_advice(first, part)}. Set "
            "data.header=true if these are the names of its columns after all."
        )


def _advice(first: Sequence[str], part: str) -> str:
    """The settings that fit a file without a header, guessed by position."""
    if part in ("users", "items"):
        names = "user_id,age,city" if part == "users" else "item_id,title,genres"
        return f"Give the names of its columns in their order, such as 'data.header={{{part}: [{names}]}}'"
    keys = ["user", "item"]
    if len(first) > 2 and _is_number(first[2].strip()):
        keys.append("timestamp" if len(first[2].strip()) >= _TIME_CHARACTERS else "rating")
    if len(first) > 3 and keys[-1] == "rating" and len(first[3].strip()) >= _TIME_CHARACTERS:
        keys.append("timestamp")
    columns = " ".join(f"data.columns.{key}={place}" for place, key in enumerate(keys))
    return f"Set data.header=false and say which column is which, counted from 0, such as {columns}"


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None


def _other(part: str) -> str:
    return "interactions" if part in ("users", "items") else "items"


def _shown(first: Sequence[str]) -> str:
    return ", ".join(repr(cell[:40]) for cell in first[:8]) + (", ..." if len(first) > 8 else "")
