"""Reads new values of items from a table in a file, such as what a shop has in stock."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recsys.data.columns import ITEM_ID
from recsys.data.readers.table_files import read_entities
from recsys.data.readers.tables.recognised_columns import recognise_columns
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError
from recsys.runtime.item_values import ItemValues


def read_item_values(path: Path, id_column: str = ITEM_ID, columns: Sequence[str] | None = None) -> ItemValues:
    """The values of a table by item id, by column; empty fields are left out.

    A table is read as those of ``data=table`` are: delimited text, JSON or Parquet, where text may spell truth values.
    Of several rows of an item the last one that has a value counts.

    Args:
        path: of the table.
        id_column: name of the column of item ids.
        columns: those to take; None: all.

    Raises:
        DataError: a column is missing, there is no value, or the table cannot be read as one.
        SourceError: the file cannot be read.
    """
    file = RawFile(path)
    table = recognise_columns(read_entities(file, id_column, ITEM_ID).table, ITEM_ID, ()).table
    there = [name for name in table.column_names if name != ITEM_ID]
    missing = [name for name in columns or () if name not in there]
    if missing:
        raise DataError(
            f"{file} must have the columns {', '.join(columns or ())}, but {', '.join(missing)} is missing; it has "
            f"{', '.join(there) or 'none but the ids'}. Correct the names."
        )
    ids = table[ITEM_ID].to_pylist()
    values = {
        name: {item: value for item, value in zip(ids, table[name].to_pylist(), strict=True) if value is not None}
        for name in (there if columns is None else columns)
    }
    found = {name: of_items for name, of_items in values.items() if of_items}
    if not found:
        raise DataError(f"{file} must have values of items in columns beside {id_column}, but has none. Add them.")
    return found
