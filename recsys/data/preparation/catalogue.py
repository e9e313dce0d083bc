"""The tables of users and items, one row for each index of their vocabulary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import ITEM_ID, ITEM_INDEX, USER_ID, USER_INDEX
from recsys.data.raw import FeatureColumn
from recsys.data.schema import AppliedRule
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError


@dataclass(frozen=True, slots=True)
class EntityTable:
    """A checked users or items table: one row for each id.

    Args:
        name: "users" or "items", for messages.
        id_column: the column of ids.
        ids: distinct ids that are not empty, shape [N].
        columns: the other columns, N rows.
        num_dropped: rows that were left out: without an id, or superseded by a later row of the same id.
    """

    name: str
    id_column: str
    ids: pa.StringArray
    columns: pa.Table
    num_dropped: int

    @classmethod
    def check(cls, table: pa.Table | None, id_column: str, features: tuple[FeatureColumn, ...]) -> EntityTable:
        """Check a raw table; None is treated as an empty one.

        Raises:
            DataError: the id column or a declared feature is missing, ids are no strings, a column name is repeated
                or reserved.
        """
        name = f"{id_column.removesuffix('_id')}s"
        if table is None:
            table = pa.table({id_column: pa.array([], pa.string())})
        names = table.column_names
        repeated = sorted({column for column in names if names.count(column) > 1})
        if repeated:
            raise DataError(f"Each column of the {name} table must have a name of its own; repeated: {repeated}.")
        if id_column not in names:
            raise DataError(f"The {name} table needs the column {id_column}; its columns are {', '.join(names)}.")
        reserved = {USER_INDEX, ITEM_INDEX} & set(names)
        if reserved:
            raise DataError(
                f"The {name} table has a column {', '.join(sorted(reserved))}, which is reserved for internal indices. "
                "Rename it."
            )
        absent = [feature.name for feature in features if feature.name not in names]
        if absent:
            raise DataError(
                f"The features {', '.join(absent)} are declared, but the {name} table has only the columns "
                f"{', '.join(names)}. Add the columns or do not declare them."
            )
        ids = table.column(id_column)
        kind = ids.type.value_type if pa.types.is_dictionary(ids.type) else ids.type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise DataError(
                f"{id_column} of the {name} table must be a column of strings, but is of type {ids.type}. Ids are "
                "text: convert the column where it is read, so that leading zeros stay."
            )
        ids = ids.cast(pa.string()).combine_chunks()
        codes = ids.dictionary_encode()
        # The last row of each id: writing positions in order lets the later ones win.
        last = np.full(len(codes.dictionary) + 1, -1, dtype=np.int64)
        last[codes.indices.fill_null(len(codes.dictionary)).to_numpy()] = np.arange(len(ids))
        rows = np.sort(last[:-1][pc.not_equal(codes.dictionary, "").to_numpy(zero_copy_only=False)])
        return cls(name, id_column, ids.take(rows), table.drop_columns([id_column]).take(rows), len(ids) - len(rows))

    def aligned(self, vocabulary: Vocabulary) -> pa.Table:
        """One row for each id of ``vocabulary``: its index, its id, the other columns (null where it has no row)."""
        rows = pc.index_in(vocabulary.ids, value_set=self.ids)
        own = vocabulary.to_table()
        further = {name: _plain(self.columns.column(name)).take(rows) for name in self.columns.column_names}
        return pa.table({name: own.column(name) for name in reversed(own.column_names)} | further)

    def rule(self, vocabulary: Vocabulary) -> AppliedRule:
        """The rule that says which rows were left out of the table, given the catalogue's ``vocabulary``."""
        outside = int((vocabulary.index_of(self.ids) < 0).sum())
        statement = (
            f"rows of the {self.name} table without an id, superseded by a later row of the same id, or of {self.name} "
            "that are not part of the catalogue are left out"
        )
        return AppliedRule(f"{self.name} table", statement, {f"rows of {self.name}": self.num_dropped + outside})


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column without dictionary encoding, which only concerns how it is stored."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def index_fixed_negatives(table: pa.Table, users: Vocabulary, items: Vocabulary) -> pa.Table:
    """Fixed negatives as internal indices.

    Args:
        table: ``user_id`` and ``item_ids``, lists of one length.
        users: vocabulary of the users.
        items: vocabulary of the items.

    Returns:
        ``user_index`` (int32) and ``item_indices`` (fixed-size list of int32), in the order of ``table``.

    Raises:
        DataError: a user occurs twice, lists differ in length, or an id is not part of the catalogue.
    """
    if not {USER_ID, "item_ids"} <= set(table.column_names):
        raise DataError(f"Fixed negatives need the columns {USER_ID} and item_ids; they have {table.column_names}.")
    user_index = users.index_of(table.column(USER_ID))
    lists = table.column("item_ids").combine_chunks()
    lengths = np.unique(pc.list_value_length(lists).fill_null(0).to_numpy())
    if len(lengths) != 1 or lengths[0] == 0:
        shortest, longest = (lengths[0], lengths[-1]) if len(lengths) else (0, 0)
        raise DataError(
            f"Each user's list of fixed negatives must have the same number of items; lengths go from {shortest} to "
            f"{longest}. Correct the lists."
        )
    if len(np.unique(user_index)) != len(user_index):
        raise DataError("Fixed negatives need one row for each user, but a user occurs twice. Keep one list a user.")
    ids = pc.list_flatten(lists)
    item_index = items.index_of(ids)
    for column, known, given in ((USER_ID, user_index, table.column(USER_ID)), (ITEM_ID, item_index, ids)):
        unknown = np.flatnonzero(known < 0)
        if len(unknown):
            raise DataError(
                f"{len(unknown):,} of {len(known):,} {column} values of the fixed negatives are not part of the "
                f"catalogue, the first is {given[int(unknown[0])].as_py()!r}. Correct them, or set "
                "preparation.include_unrated_items=true for items of the items table that have no interaction."
            )
    negatives = pa.FixedSizeListArray.from_arrays(pa.array(item_index, pa.int32()), int(lengths[0]))
    return pa.table({USER_INDEX: pa.array(user_index, pa.int32()), "item_indices": negatives})
