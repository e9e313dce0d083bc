"""Prepares interactions that are in memory as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import ITEM_ID, USER_ID
from recsys.data.inspection.column_summary import summarize_interactions
from recsys.data.preparation.raw_interactions import code_interactions
from recsys.data.preparation.repeats import num_pairs
from recsys.data.preparation.rules import clean
from recsys.data.preparation.totals import InteractionTotals
from recsys.data.preparation.written_interactions import WrittenInteractions, as_table, further_columns_of
from recsys.data.prepared_files import write_table

if TYPE_CHECKING:
    from recsys.data.preparing import Preparation


def prepare_in_memory(
    table: pa.Table, preparation: Preparation, item_ids: pa.StringArray, path: Path
) -> WrittenInteractions:
    """Clean, index and write interactions.

    The raw interactions are let go of as soon as they have been coded: whoever calls this and keeps no reference to
    them has their memory back for the rules.

    Args:
        table: raw interactions.
        preparation: the settings.
        item_ids: ids of the items table, for ``include_unrated_items``.
        path: the Parquet file to write.

    Raises:
        DataError: the data break a rule, or the rules leave nothing.

    Warns:
        DataWarning: many interactions repeat another one.
    """
    for place in range(table.num_columns):  # one after the other: a column that was copied is let go of
        table = table.set_column(place, table.column_names[place], _in_one_piece(table.column(place)))
        pa.default_memory_pool().release_unused()
    coded = code_interactions(table, preparation.invalid_rows)
    user_ids, item_ids_given = _distinct_ids(table[USER_ID]), _distinct_ids(table[ITEM_ID])
    columns = summarize_interactions(table)
    del table
    pa.default_memory_pool().release_unused()
    interactions, users, items, rules = clean(coded, preparation, item_ids)
    del coded
    write_table(as_table(interactions), path)
    totals = InteractionTotals(preparation.positive_threshold)
    totals.add(interactions)
    return WrittenInteractions(
        users=users,
        items=items,
        rules=rules,
        totals=totals,
        num_pairs=num_pairs(interactions) if preparation.repeats == "keep" else len(interactions),
        further_columns=further_columns_of(interactions),
        user_ids=user_ids,
        item_ids=item_ids_given,
        columns=columns,
    )


def _in_one_piece(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column whose memory arrays can share; text that is not in a dictionary stays as it is."""
    if column.num_chunks < 2 or not (pa.types.is_primitive(column.type) or pa.types.is_dictionary(column.type)):
        return column
    return pa.chunked_array([column.unify_dictionaries().combine_chunks()])


def _distinct_ids(column: pa.ChunkedArray) -> pa.StringArray:
    ids = pc.unique(column.unify_dictionaries()).cast(pa.string())
    return ids.filter(pc.not_equal(ids, ""))
