"""The rule that removes users and items with too few interactions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from recsys.data.interactions import Interactions
from recsys.data.preparation.pair_groups import distinct_sorted
from recsys.data.row_numbers import RowArray, compact_rows, count_each, row_dtype
from recsys.data.schema import AppliedRule
from recsys.errors import DataError


def k_core(
    interactions: Interactions,
    min_user_interactions: int,
    min_item_interactions: int,
    positive_threshold: float | None = None,
) -> tuple[RowArray, AppliedRule]:
    """Rows that stay when users and items with too few positive interactions are removed until none is left.

    Removing a user can leave an item with too few and the other way round, so the two are removed in turn until
    nothing changes. What stays is the largest set in which every user and every item has enough; it does not depend
    on the order of removal. A user and an item count once, however often they meet. A minimum of 1 or less removes
    nothing. (Seidman, "Network structure and minimum degree", Social Networks 1983, for the k-core of a graph.)

    Args:
        interactions: N interactions.
        min_user_interactions: positive interactions that a user needs.
        min_item_interactions: positive interactions that an item needs.
        positive_threshold: lowest rating of a positive interaction; None where all are positive. The other
            interactions of the users and items that stay are kept too.

    Returns:
        The rows to keep, in their order, and the rule with its counts.

    Raises:
        DataError: the interactions come split, and removing any would change the split.
    """
    check_unsplit(min_user_interactions, min_item_interactions, interactions.fold is not None)
    if max(min_user_interactions, min_item_interactions) <= 1:
        every: RowArray = np.arange(len(interactions), dtype=row_dtype(len(interactions)))
        none = {"interactions": 0, "users": 0, "items": 0}
        return every, k_core_rule(min_user_interactions, min_item_interactions, positive_threshold, none)
    users, items = interactions.user_index, interactions.item_index
    present_users = present(users, interactions.num_users)
    present_items = present(items, interactions.num_items)
    kept_users, kept_items = present_users.copy(), present_items.copy()
    # What is bought again does not count again.
    pairs = distinct_sorted(interactions.take(interactions.rows_rated_at_least(positive_threshold)).pairs)
    user, item = pairs // interactions.num_items, pairs % interactions.num_items
    while True:
        if min_user_interactions > 1:
            kept_users &= np.bincount(user, minlength=interactions.num_users) >= min_user_interactions
        if min_item_interactions > 1:
            kept_items &= np.bincount(item, minlength=interactions.num_items) >= min_item_interactions
        stays = kept_users[user] & kept_items[item]
        if stays.all():
            break
        user, item = user[stays], item[stays]
    rows = compact_rows(np.flatnonzero(kept_users[users] & kept_items[items]), len(interactions))
    # A user who stays may have lost every interaction, and is gone as well, where only items have a minimum.
    left = interactions.take(rows)
    removed = {
        "interactions": len(interactions) - len(rows),
        "users": int(present_users.sum() - present(left.user_index, left.num_users).sum()),
        "items": int(present_items.sum() - present(left.item_index, left.num_items).sum()),
    }
    return rows, k_core_rule(min_user_interactions, min_item_interactions, positive_threshold, removed)


def check_unsplit(min_user_interactions: int, min_item_interactions: int, is_split: bool) -> None:
    """Check that the k-core removes nothing from data that come split.

    Raises:
        DataError: it would.
    """
    if max(min_user_interactions, min_item_interactions) > 1 and is_split:
        raise DataError(
            f"These data come already split, and min_user_interactions={min_user_interactions}, "
            f"min_item_interactions={min_item_interactions} would change their split. Set both to 1."
        )


def k_core_rule(
    min_user_interactions: int, min_item_interactions: int, positive_threshold: float | None, removed: Mapping[str, int]
) -> AppliedRule:
    """The rule of the k-core with its counts."""
    positive = "" if positive_threshold is None else f" rated {positive_threshold:g} or higher"
    statement = (
        f"users need {min_user_interactions} and items {min_item_interactions} interactions{positive}, "
        "counted again until nothing changes"
    )
    return AppliedRule("k-core", statement, removed)


def present(indices: npt.NDArray[np.int32], num: int) -> npt.NDArray[np.bool_]:
    """Which of ``num`` users or items occur in ``indices``; shape [num], bool."""
    return count_each(indices, num) > 0
