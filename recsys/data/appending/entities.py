"""The tables of users and items with rows for those that are new."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import ITEM_INDEX, USER_INDEX
from recsys.data.preparation.catalogue import EntityTable
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError


def grown_table(there: pa.Table, given: EntityTable, vocabulary: Vocabulary) -> pa.Table:
    """One row for each id: what ``given`` says of it, else what was known; nulls where neither says anything.

    Args:
        there: ``users.parquet`` or ``items.parquet`` of the generation before.
        given: newer rows, perhaps none; columns that ``there`` does not have are not read.
        vocabulary: all ids, those of ``there`` first.

    Raises:
        DataError: a column lacks, or has values that do not fit the type that it had.
    """
    rows = pc.index_in(vocabulary.ids, value_set=given.ids)
    told = pc.is_valid(rows)
    own = vocabulary.to_table()
    names = [name for name in there.column_names if name not in (vocabulary.id_column, USER_INDEX, ITEM_INDEX)]
    columns = {}
    for name in names:
        known = there.column(name)
        behind = pa.nulls(len(vocabulary) - len(there), known.type)
        old = pa.chunked_array([*known.chunks, behind], known.type)
        if len(given.ids) == 0:
            columns[name] = old
            continue
        if name not in given.columns.column_names:
            raise DataError(
                f"The {given.name} table must have the column {name}, as it had before; its columns are "
                f"{', '.join([given.id_column, *given.columns.column_names])}. Add it."
            )
        try:
            newer = given.columns.column(name).cast(known.type).take(rows)
        except pa.ArrowException as error:
            raise DataError(
                f"The column {name} of the {given.name} table must be of type {known.type}, as it was before, and is "
                f"{given.columns.column(name).type} ({error}). Convert it, or prepare the data anew as a whole."
            ) from None
        # Arrow chooses between lists one by one only where both are of one piece.
        columns[name] = _chosen(told, newer, old)
    return pa.table({name: own.column(name) for name in reversed(own.column_names)} | columns)


def _chosen(told: pa.Array, newer: pa.ChunkedArray, old: pa.ChunkedArray) -> pa.Array:
    """Of each row the newer value where it is told, else the old one."""
    size = len(told)
    places = pc.if_else(told, pa.array(range(size), pa.int64()), pa.array(range(size, 2 * size), pa.int64()))
    return pa.chunked_array([*newer.chunks, *old.chunks], old.type).take(places).combine_chunks()
