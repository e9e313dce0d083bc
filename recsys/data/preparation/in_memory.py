"""Prepares interactions that are in memory as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import ITEM_ID, USER_ID
from recsys.data.inspection.column_summary import summarize_interactions
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
    interactions, users, items, rules = clean(table, preparation, item_ids)
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
        user_ids=_distinct_ids(table[USER_ID]),
        item_ids=_distinct_ids(table[ITEM_ID]),
        columns=summarize_interactions(table),
    )


def _distinct_ids(column: pa.ChunkedArray) -> pa.StringArray:
    ids = pc.unique(column.unify_dictionaries()).cast(pa.string())
    return ids.filter(pc.not_equal(ids, ""))
