"""Which new rows are admitted where users and items need a number of interactions.

Shape suffixes: N new interactions, U users and I items, the known ones first.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsys.data.interactions import Interactions
from recsys.data.preparation.pair_groups import distinct_sorted

Mask = npt.NDArray[np.bool_]


def admitted_rows(
    new: Interactions,
    num_known: tuple[int, int],
    min_user_interactions: int,
    min_item_interactions: int,
    positive_threshold: float | None,
) -> Mask:
    """The k-core of new interactions, in which whoever was admitted before has enough.

    A new user needs ``min_user_interactions`` positive interactions with items that are known or admitted with it, and
    the other way round, counted again until nothing changes. What was admitted stays: it is never counted again.

    Appending in pieces, with what was not admitted added to the next piece, admits the same users and items as
    appending at once: what a piece admits is a part of the largest set of all of them, since it has enough in that set
    too, and the largest set around it is that of all.

    Args:
        new: N interactions, among them those that were not admitted before.
        num_known: users and items that were admitted before: those of the lower indices.
        min_user_interactions: positive interactions that a user needs; what repeats counts once.
        min_item_interactions: positive interactions that an item needs.
        positive_threshold: lowest rating of a positive interaction; None where all are positive.

    Returns:
        Shape [N], bool.
    """
    kept_users, kept_items = np.ones(new.num_users, dtype=np.bool_), np.ones(new.num_items, dtype=np.bool_)
    counted = new.take(new.rows_rated_at_least(positive_threshold))
    if counted.weight is not None:
        counted = counted.take(counted.weight > 0)
    pairs = distinct_sorted(counted.pairs)
    user, item = pairs // max(new.num_items, 1), pairs % max(new.num_items, 1)
    while True:
        before = int(kept_users.sum() + kept_items.sum())
        for kept, index, known, minimum in (
            (kept_users, user, num_known[0], min_user_interactions),
            (kept_items, item, num_known[1], min_item_interactions),
        ):
            kept[known:] &= (np.bincount(index, minlength=len(kept)) >= minimum)[known:]
        if int(kept_users.sum() + kept_items.sum()) == before:
            break
        stays = kept_users[user] & kept_items[item]
        user, item = user[stays], item[stays]
    admitted: Mask = kept_users[new.user_index] & kept_items[new.item_index]
    return admitted
