"""The k best unseen items for users of the vocabulary, straight from a model."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.data.user_items import UserItems
from recsys.errors import RecsysError
from recsys.evaluation.top_k import top_k, without_nan
from recsys.models.protocols import Query, Recommender


@torch.inference_mode()
def recommend(
    model: Recommender, known: Interactions, seen: Interactions, users: Tensor, k: int
) -> tuple[Tensor, Tensor]:
    """Rank the items that each user has not seen.

    Args:
        model: any model, on the CPU.
        known: the histories that the model may score from.
        seen: what is not recommended again: all interactions, those below the positive threshold too.
        users: internal indices, shape [B], int64, each in the vocabulary.
        k: length of the lists; those of users with fewer unseen items are padded with item -1 and score -inf.

    Returns:
        Item indices, shape [B, k], int64, best first, and their scores, shape [B, k].

    Raises:
        RecsysError: ``k`` is not a positive whole number.
    """
    _check(k)
    # A copy as well, since a model may return a view of what it keeps.
    scores = without_nan(model.score(Query(users, Histories.from_interactions(known).take(users))))
    rows, items = UserItems.from_interactions(seen).pairs_of(users)
    scores[rows, items] = float("-inf")
    return top_k(scores, k)


def popular_items(known: Interactions, k: int) -> tuple[Tensor, Tensor]:
    """The k most popular items and the number of their interactions: the answer for a user of whom nothing is known.

    Args:
        known: interactions to count.
        k: length of the list.

    Returns:
        Item indices, shape [k], int64, and their counts, shape [k].

    Raises:
        RecsysError: ``k`` is not a positive whole number.
    """
    _check(k)
    counts = torch.from_numpy(np.bincount(known.item_index, minlength=known.num_items)).float()
    items, scores = top_k(counts[None, :], k)
    return items[0], scores[0]


def _check(k: object) -> None:
    if not isinstance(k, int) or k < 1:
        raise RecsysError(f"k must be a whole number of at least 1, but it is {k}.")
