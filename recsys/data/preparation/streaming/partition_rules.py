"""The rules that look at one user at a time, applied to the users of one partition."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.data.columns import FOLD, ITEM_ID, RATING, SUBSECOND_NS, TIMESTAMP, USER_ID, WEIGHT
from recsys.data.interactions import IntArray, Interactions
from recsys.data.preparation.cleaning import present
from recsys.data.preparation.repeats import Repeats, without_repeats
from recsys.data.preparation.returns import Returns, net_of_returns
from recsys.data.preparation.streaming.partition_files import ROW, save_interactions
from recsys.data.vocabulary import Vocabulary

_COLUMNS = (RATING, TIMESTAMP, FOLD, WEIGHT, SUBSECOND_NS)


@dataclass(frozen=True, slots=True)
class PartitionResult:
    """What the rules did in one partition.

    Args:
        user_ids: ids of its users, at the positions that are their indices within it.
        returns: what negative weights did.
        num_without_returns: interactions after that.
        num_repeats: those of them that repeat another one.
        columns: names of the columns that the interactions have.
    """

    user_ids: pa.StringArray
    returns: Returns
    num_without_returns: int
    num_repeats: int
    columns: frozenset[str]

    @classmethod
    def empty(cls) -> PartitionResult:
        """That of a partition without rows."""
        return cls(pa.array([], pa.string()), Returns(), 0, 0, frozenset())


def apply_rules(
    rows: pa.Table, partition: int, items: Vocabulary, repeats: Repeats, has_subseconds: bool, directory: Path
) -> tuple[PartitionResult, npt.NDArray[np.bool_]]:
    """Resolve the returns and repeats of a partition, and save what stays.

    Args:
        rows: its valid rows in their order.
        partition: its number.
        items: vocabulary of all items.
        repeats: what becomes of repeats.
        has_subseconds: whether any partition has times that are no whole seconds.
        directory: for the files.

    Returns:
        What was done, and which items have a valid interaction here, shape [num_items].
    """
    users, items_of_rows = (rows[name].combine_chunks().dictionary_encode() for name in (USER_ID, ITEM_ID))
    columns = {name: rows[name].to_numpy() for name in _COLUMNS if name in rows.column_names}
    if not has_subseconds:
        columns.pop(SUBSECOND_NS, None)
    interactions = Interactions(
        user_index=users.indices.to_numpy(),
        item_index=items.index_of(items_of_rows.dictionary)[items_of_rows.indices.to_numpy()],
        rating=columns.get(RATING),
        timestamp=columns.get(TIMESTAMP),
        fold=columns.get(FOLD),
        num_users=len(users.dictionary),
        num_items=len(items),
        weight=columns.get(WEIGHT),
        subsecond_ns=columns.get(SUBSECOND_NS),
    )
    rated_items = present(interactions.item_index, len(items))
    numbers: IntArray = rows[ROW].to_numpy()
    if has_subseconds:
        assert interactions.moments is not None, "there are no parts of a second without seconds"
        by_time = np.argsort(interactions.moments, kind="stable")
        interactions, numbers = interactions.take(by_time), numbers[by_time]
    interactions, kept, returns = net_of_returns(interactions)
    numbers = numbers if kept is None else numbers[kept]
    resolved = without_repeats(interactions, repeats)
    numbers = numbers if resolved.rows is None else numbers[resolved.rows]
    save_interactions(directory, partition, resolved.interactions, numbers)
    result = PartitionResult(
        user_ids=users.dictionary,
        returns=returns,
        num_without_returns=len(interactions),
        num_repeats=resolved.num_repeats,
        columns=frozenset(
            name for name in (*_COLUMNS, "first_timestamp") if getattr(resolved.interactions, name) is not None
        ),
    )
    return result, rated_items
