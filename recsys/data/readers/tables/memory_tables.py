"""Reader of a user's own tables that are in memory: Arrow, pandas, polars, or anything that speaks Arrow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from recsys.data.raw import RawDataset, RawSource
from recsys.data.readers.feature_kinds import Declaration
from recsys.data.readers.tables.column_names import ColumnNames, id_column
from recsys.data.readers.tables.table_digest import TableDigest
from recsys.data.readers.tables.table_set import TableSet
from recsys.data.readers.tables.typed_columns import ReadTable, typed_entities, typed_interactions, unread_columns
from recsys.errors import DataError


class MemoryTableReader:
    """Reads tables in memory as :class:`recsys.data.readers.table.TableReader` reads files.

    A table is a :class:`pyarrow.Table`, a pandas or polars data frame, a mapping of columns, or any object that exports
    Arrow data (``__arrow_c_stream__``). A pandas index that has a name is a column.

    Args:
        interactions: all interactions; otherwise give ``train`` and ``test``.
        train: the training interactions of data that come split.
        test: the test interactions.
        valid: the validation interactions, or None.
        users: one row for each user, or None.
        items: one row for each item, or None.
        columns: names of the columns, as for :class:`recsys.data.readers.table.TableReader`.
        user_features: columns of users that are features, and their kinds; None to infer them.
        item_features: the same for items.
        name: short name of the data set, used in paths and reports.
        day_first: as for :class:`recsys.data.readers.table.TableReader`.
        list_separators: likewise.

    Raises:
        DataError: ``columns`` has another key, or a table is no table.
    """

    def __init__(
        self,
        interactions: object = None,
        train: object = None,
        test: object = None,
        valid: object = None,
        users: object = None,
        items: object = None,
        columns: Mapping[str, str | int | None] | None = None,
        user_features: Mapping[str, Declaration] | None = None,
        item_features: Mapping[str, Declaration] | None = None,
        name: str = "table",
        day_first: bool | None = None,
        list_separators: Mapping[str, str | None] | None = None,
    ) -> None:
        given = {"interactions": interactions, "train": train, "valid": valid, "test": test}
        given |= {"users": users, "items": items}
        tables = {
            part: MemoryTable(as_arrow(table, f"The table of {part}"), f"The table of {part}")
            for part, table in given.items()
            if table is not None
        }
        self._set = TableSet.parse(name, tables, columns, user_features, item_features, day_first, list_separators)
        self.name = name

    def read(self) -> RawDataset:
        """Check and convert the tables; see :class:`recsys.data.raw.Reader`."""
        sources = (RawSource(part, table.digest(), "memory") for part, table in self._set.tables.items())
        return replace(self._set.read(), sources=tuple(sources))

    def fingerprint(self) -> dict[str, object]:
        """The arguments and hashes of the tables; see :class:`recsys.data.raw.Reader`."""
        arguments = self._set.arguments()
        tables = {part: table.digest() for part, table in self._set.tables.items()}
        return {"reader": type(self).__name__, "arguments": arguments, "tables": tables}


@dataclass(frozen=True, slots=True)
class MemoryTable:
    """One table in memory.

    Args:
        table: its columns.
        place: what messages call it.
    """

    table: pa.Table
    place: str

    def __str__(self) -> str:
        return self.place

    def read_interactions(self, columns: ColumnNames, day_first: bool | None = None) -> ReadTable:
        """See :class:`recsys.data.readers.tables.assembly.SourceTable`."""
        wanted = columns.wanted(self.table.column_names, self.place)
        read = typed_interactions(self.table, wanted, self.place, day_first)
        return ReadTable(read.table, (*read.notes, *unread_columns(self.table.column_names, wanted)))

    def read_entities(self, id_name: str, role: str) -> ReadTable:
        """See :class:`recsys.data.readers.tables.assembly.SourceTable`."""
        id_name = id_column(self.table.column_names, id_name, role, self.place)
        columns = dict(zip(self.table.column_names, self.table.columns, strict=True))
        return ReadTable(typed_entities(columns, id_name, role, self.place))

    def digest(self) -> str:
        """SHA-256 of the table's contents."""
        digest = TableDigest()
        digest.add(self.table)
        return digest.hexdigest()


def as_arrow(table: object, place: str) -> pa.Table:
    """A table of any library as an Arrow table.

    Args:
        table: a :class:`pyarrow.Table`, a pandas or polars data frame, a mapping of columns, or an object that exports
            Arrow data.
        place: what messages call it.

    Raises:
        DataError: it is no table, has no rows, a column name is no text or repeated, or a column mixes types.
    """
    try:
        arrow = _to_arrow(table)
    except (pa.ArrowException, TypeError, ValueError) as error:
        # pandas names the column in the second argument of its error
        reason = "; ".join(map(str, error.args)) or repr(error)
        raise DataError(f"{place} cannot be converted to Arrow: {reason}. Make each column of one type.") from error
    if arrow is None:
        raise DataError(
            f"{place} must be a data frame of pandas or polars, an Arrow table or a mapping of columns, but is of type "
            f"{type(table).__name__}."
        )
    names = arrow.column_names
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(f"{place} has more than one column named {', '.join(map(repr, repeated))}. Rename all but one.")
    if arrow.num_rows == 0:
        raise DataError(f"{place} has no rows; at least one is needed.")
    plain = {name: _without_views(column) for name, column in zip(names, arrow.columns, strict=True)}
    return pa.table(plain)


def _without_views(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Strings as most of Arrow's functions take them; polars gives them in a newer form."""
    return column.cast(pa.string()) if pa.types.is_string_view(column.type) else column


def _to_arrow(table: Any) -> pa.Table | None:
    if isinstance(table, pa.Table):
        return table
    if isinstance(table, pa.RecordBatch):
        return pa.Table.from_batches([table])
    if isinstance(table, Mapping):
        return pa.table({str(name): values for name, values in table.items()})
    if type(table).__module__.partition(".")[0] == "pandas" and hasattr(table, "columns"):
        renamed = table.set_axis([str(name) for name in table.columns], axis="columns")
        names = [str(name) for name in renamed.index.names if name is not None]
        if names and not set(names) & set(renamed.columns):
            renamed = renamed.reset_index()
        return pa.Table.from_pandas(renamed, preserve_index=False)
    if hasattr(table, "__arrow_c_stream__"):
        return pa.table(table)
    return None
