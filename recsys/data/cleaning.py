"""Rules that remove valid interactions: repeated ones, and those of users and items with too few."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsys.data.interactions import IntArray, Interactions
from recsys.data.schema import AppliedRule
from recsys.errors import DataError


def remove_duplicates(interactions: Interactions) -> tuple[IntArray, AppliedRule]:
    """Rows that stay when repeated interactions are removed.

    Of several interactions of a user with the same item, the latest stays; if they have the same time or none, the
    last row stays. Data that come split keep such repetitions, since they are part of the split: there, only rows of
    the same fold that are equal in every column are reduced to one.

    Returns:
        The rows to keep, in their order (int64), and the rule with its count.
    """
    if interactions.fold is None:
        statement = "of a user's interactions with one item the latest is kept, in a tie the last row"
    else:
        statement = "rows of one fold that are equal in every column are kept once, the last of them"
    keys = interactions.user_index.astype(np.int64)
    keys *= interactions.num_items
    keys += interactions.item_index
    if interactions.fold is not None:
        keys *= np.int64(interactions.fold.max()) + 1
        keys += interactions.fold
    rows = _repeated(keys)
    # Sorted by pair, then time, then row: all rows of a pair but the last are the ones to remove.
    timestamp = _column(interactions.timestamp, rows)
    rating = _column(interactions.rating, rows)
    if interactions.fold is None:
        order = np.lexsort((timestamp, keys[rows]))
        superseded = _same_as_next(keys[rows][order])
    else:
        order = np.lexsort((timestamp, rating, keys[rows]))
        superseded = _same_as_next(keys[rows][order])
        superseded &= _same_as_next(timestamp[order]) & _same_as_next(rating[order])
    kept = np.ones(len(interactions), dtype=np.bool_)
    kept[rows[order[superseded]]] = False
    return np.flatnonzero(kept), AppliedRule("duplicates", statement, {"interactions": int(superseded.sum())})


def _repeated(keys: IntArray) -> IntArray:
    """Rows whose key occurs more than once, in their order.

    Sorting the keys alone takes a fraction of the time and memory of sorting the rows, and most data have few
    repetitions or none.
    """
    ordered = np.sort(keys)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if len(repeated) == 0:
        return np.empty(0, dtype=np.int64)
    position = np.minimum(np.searchsorted(repeated, keys), len(repeated) - 1)
    return np.flatnonzero(repeated[position] == keys)


def _column(values: npt.NDArray[np.float32] | npt.NDArray[np.int64] | None, rows: IntArray) -> npt.NDArray[np.generic]:
    return np.zeros(len(rows), dtype=np.int8) if values is None else values[rows]


def _same_as_next(values: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    return np.append(values[:-1] == values[1:], False) if len(values) else np.zeros(0, dtype=np.bool_)


def k_core(
    interactions: Interactions,
    min_user_interactions: int,
    min_item_interactions: int,
    positive_threshold: float | None = None,
) -> tuple[IntArray, AppliedRule]:
    """Rows that stay when users and items with too few positive interactions are removed until none is left.

    Removing a user can leave an item with too few and the other way round, so the two are removed in turn until
    nothing changes. What stays is the largest set in which every user and every item has enough; it does not depend
    on the order of removal. A minimum of 1 or less removes nothing. (Seidman, "Network structure and minimum
    degree", Social Networks 1983, for the k-core of a graph.)

    Args:
        interactions: N interactions.
        min_user_interactions: positive interactions that a user needs.
        min_item_interactions: positive interactions that an item needs.
        positive_threshold: lowest rating of a positive interaction; None where all are positive. The other
            interactions of the users and items that stay are kept too.

    Returns:
        The rows to keep, in their order (int64), and the rule with its counts.

    Raises:
        DataError: the interactions come split, and removing any would change the split.
    """
    if max(min_user_interactions, min_item_interactions) > 1 and interactions.fold is not None:
        raise DataError(
            f"These data come already split, and min_user_interactions={min_user_interactions}, "
            f"min_item_interactions={min_item_interactions} would change their split. Set both to 1."
        )
    users, items = interactions.user_index, interactions.item_index
    present_users = present(users, interactions.num_users)
    present_items = present(items, interactions.num_items)
    kept_users, kept_items = present_users.copy(), present_items.copy()
    positives = interactions.rows_rated_at_least(positive_threshold)
    user, item = users[positives], items[positives]
    while max(min_user_interactions, min_item_interactions) > 1:
        if min_user_interactions > 1:
            kept_users &= np.bincount(user, minlength=interactions.num_users) >= min_user_interactions
        if min_item_interactions > 1:
            kept_items &= np.bincount(item, minlength=interactions.num_items) >= min_item_interactions
        stays = kept_users[user] & kept_items[item]
        if stays.all():
            break
        user, item = user[stays], item[stays]
    rows = np.flatnonzero(kept_users[users] & kept_items[items])
    # A user who stays may have lost every interaction, and is gone as well, where only items have a minimum.
    left = interactions.take(rows)
    removed = {
        "interactions": len(interactions) - len(rows),
        "users": int(present_users.sum() - present(left.user_index, left.num_users).sum()),
        "items": int(present_items.sum() - present(left.item_index, left.num_items).sum()),
    }
    positive = "" if positive_threshold is None else f" rated {positive_threshold:g} or higher"
    statement = (
        f"users need {min_user_interactions} and items {min_item_interactions} interactions{positive}, "
        "counted again until nothing changes"
    )
    return rows, AppliedRule("k-core", statement, removed)


def present(indices: npt.NDArray[np.int32], num: int) -> npt.NDArray[np.bool_]:
    """Which of ``num`` users or items occur in ``indices``; shape [num], bool."""
    return np.bincount(indices, minlength=num) > 0
