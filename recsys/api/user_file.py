"""Reads ids of users from a file."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from recsys.api.ids import as_text
from recsys.data.columns import USER_ID
from recsys.errors import RequestError

_SEPARATORS = {".csv": ",", ".tsv": "\t"}
#: Of a message of Arrow, which may quote a whole row.
_MOST_CHARACTERS = 120


def read_user_ids(path: Path) -> list[str]:
    """The ids in a file, each once, in the order of their first lines.

    A ``.csv``, ``.tsv`` or ``.parquet`` file has a column ``user_id``, or one column alone; any other file has an id on
    each line. Ids are text, with their leading zeros.

    Raises:
        RequestError: the file cannot be read, or has no ids.
    """
    try:
        if path.suffix == ".parquet":
            ids = as_text(_id_column(pq.read_table(path), path), "users")
        elif path.suffix in _SEPARATORS:
            ids = _from_text(path, _SEPARATORS[path.suffix])
        else:
            ids = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or _shortened(str(error))
        raise RequestError(f"users={path} cannot be read ({reason}). Give a file with the ids of users.") from error
    found = [one for one in dict.fromkeys(ids) if one]
    if not found:
        raise RequestError(f"users={path} has no ids. Write one on each line, or leave users out for all users.")
    return found


def _shortened(reason: str) -> str:
    """What Arrow says, without most of the row that it quotes."""
    return reason if len(reason) <= _MOST_CHARACTERS else f"{reason[:_MOST_CHARACTERS]}..."


def _from_text(path: Path, separator: str) -> list[str]:
    one_thread = pc.ReadOptions(use_threads=False)  # with several, errors do not name the row
    separated = pc.ParseOptions(delimiter=separator)
    with pc.open_csv(path, one_thread, separated) as reader:
        types = dict.fromkeys(reader.schema.names, pa.string())
    options = pc.ConvertOptions(column_types=types, strings_can_be_null=False)
    table = pc.read_csv(path, one_thread, separated, options)
    return as_text(_id_column(table, path), "users")


def _id_column(table: pa.Table, path: Path) -> pa.ChunkedArray:
    names = table.column_names
    if USER_ID not in names and len(names) != 1:
        raise RequestError(
            f"users={path} must have a column {USER_ID!r}, or one column alone, but it has "
            f"{', '.join(map(repr, names))}. Rename the column of ids."
        )
    return table.column(USER_ID if USER_ID in names else names[0])
