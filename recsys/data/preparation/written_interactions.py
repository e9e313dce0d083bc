"""The interactions as they are written, and what was found out about them on the way."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from recsys.data.columns import FOLD, FOLDS, ITEM_INDEX, RATING, TIMESTAMP, USER_INDEX
from recsys.data.inspection.column_summary import ColumnSummary
from recsys.data.interactions import Interactions
from recsys.data.preparation.totals import InteractionTotals
from recsys.data.schema import FURTHER_COLUMNS, AppliedRule
from recsys.data.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class WrittenInteractions:
    """What preparation knows of the interactions once they are written.

    Args:
        users: vocabulary of the users that stay.
        items: vocabulary of the catalogue.
        rules: what each rule removed.
        totals: counts and ranges of what was written.
        num_pairs: different pairs of a user and an item among them.
        further_columns: those of :data:`recsys.data.schema.FURTHER_COLUMNS` that were written.
        user_ids: distinct ids of users in the raw interactions, not empty, in the order of their first occurrence.
        item_ids: the same of items.
        columns: a summary of each column of the raw interactions.
    """

    users: Vocabulary
    items: Vocabulary
    rules: list[AppliedRule]
    totals: InteractionTotals
    num_pairs: int
    further_columns: tuple[str, ...]
    user_ids: pa.StringArray
    item_ids: pa.StringArray
    columns: tuple[ColumnSummary, ...]


def further_columns_of(interactions: Interactions) -> tuple[str, ...]:
    """Those of :data:`recsys.data.schema.FURTHER_COLUMNS` that some interactions have."""
    return tuple(name for name in FURTHER_COLUMNS if getattr(interactions, name) is not None)


def as_table(interactions: Interactions) -> pa.Table:
    """Interactions as ``interactions.parquet`` has them."""
    columns = {
        USER_INDEX: pa.array(interactions.user_index),
        ITEM_INDEX: pa.array(interactions.item_index),
    }
    if interactions.rating is not None:
        columns[RATING] = pa.array(interactions.rating)
    if interactions.timestamp is not None:
        columns[TIMESTAMP] = pa.array(interactions.timestamp)
    for name in FURTHER_COLUMNS:
        if (values := getattr(interactions, name)) is not None:
            columns[name] = pa.array(values)
    if interactions.fold is not None:
        columns[FOLD] = pa.DictionaryArray.from_arrays(pa.array(interactions.fold), pa.array(FOLDS))
    return pa.table(columns)
