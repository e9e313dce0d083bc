"""Reads tables in memory, and notes the types of their ids so that lists come back in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from recsys.api.ids import id_type_of
from recsys.api.written_ids import with_text_ids, with_whole_ids
from recsys.data.columns import ITEM_ID, USER_ID
from recsys.data.id_types import ID_TYPES, IdTypes
from recsys.data.raw import RawDataset
from recsys.data.readers.tables.memory_tables import MemoryTableReader, as_arrow

#: The columns of ids by what they are called in ``columns``.
_ROLES = {"user": USER_ID, "item": ITEM_ID}


@dataclass(frozen=True, slots=True)
class TypedReader:
    """A reader of tables in memory whose fingerprint has the types of the ids; see :class:`recsys.data.raw.Reader`.

    Args:
        reader: of the tables.
        id_types: of the ids in the interactions.
    """

    reader: MemoryTableReader
    id_types: IdTypes

    @classmethod
    def of(cls, tables: Mapping[str, Any], columns: Mapping[str, Any] | None, **arguments: Any) -> TypedReader:
        """The reader of some tables.

        Args:
            tables: ``interactions`` and perhaps ``items`` and ``users``; of pandas, Polars or Arrow.
            columns: names of the columns in them.
            arguments: further ones of :class:`recsys.data.readers.tables.memory_tables.MemoryTableReader`.

        Raises:
            DataError: one is no table.
        """
        names = {role: str((columns or {}).get(role, default)) for role, default in _ROLES.items()}
        arrow = {part: _as_arrow(table, part, tuple(names.values())) for part, table in tables.items()}
        reader = MemoryTableReader(**arrow, columns=columns, **arguments)
        ids = {role: _type_of(arrow["interactions"], name) for role, name in names.items()}
        return cls(reader, IdTypes(**ids))

    @property
    def name(self) -> str:
        """Of the data set."""
        return self.reader.name

    def read(self) -> RawDataset:
        """See :class:`recsys.data.raw.Reader`."""
        return self.reader.read()

    def fingerprint(self) -> dict[str, object]:
        """See :class:`recsys.data.raw.Reader`."""
        return {**self.reader.fingerprint(), ID_TYPES: asdict(self.id_types)}


def _type_of(table: pa.Table, name: str) -> str:
    """The type of an id column; text where it is not there, which the reader will say."""
    return id_type_of(table.column(name)) if name in table.column_names else IdTypes().user


def _as_arrow(table: Any, part: str, ids: tuple[str, ...]) -> pa.Table:
    return with_whole_ids(as_arrow(with_text_ids(_collected(table), ids), f"The table of {part}"), ids)


def _collected(table: Any) -> Any:
    """A lazy frame of Polars as one with rows."""
    lazy = hasattr(table, "collect") and not hasattr(table, "__arrow_c_stream__")
    return table.collect() if lazy else table
