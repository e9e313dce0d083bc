"""The k best unseen items for users of the vocabulary, straight from a model."""

from __future__ import annotations

import torch
from torch import Tensor

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.data.user_items import UserItems
from recsys.errors import RecsysError
from recsys.evaluation.top_k import top_k, without_nan
from recsys.models.popularity import Popularity
from recsys.models.protocols import Query, Recommender


@torch.inference_mode()
def recommend(model: Recommender, known: Interactions, users: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Rank the items that each user has no known interaction with.

    Args:
        model: any model.
        known: what is known of the users: their histories, and what is not recommended again.
        users: internal indices, shape [B], int64, each in the vocabulary.
        k: length of the lists; those of users with fewer unseen items are padded with item -1 and score -inf.

    Returns:
        Item indices, shape [B, k], int64, best first, and their scores, shape [B, k].

    Raises:
        RecsysError: ``k`` is not positive.
    """
    if k < 1:
        raise RecsysError(f"At least one recommendation is required, but k={k}.")
    # A copy as well, since a model may return a view of what it keeps.
    scores = without_nan(model.score(Query(users, Histories.from_interactions(known).take(users))))
    rows, seen = UserItems.from_interactions(known).pairs_of(users)
    scores[rows, seen] = float("-inf")
    return top_k(scores, k)


def fitted_popularity(interactions: Interactions) -> Popularity:
    """The most-popular baseline, fitted to ``interactions``."""
    popularity = Popularity(interactions.num_users, interactions.num_items)
    popularity.fit(interactions)
    return popularity


def popular_items(known: Interactions, k: int) -> tuple[Tensor, Tensor]:
    """The k most popular items and the number of their interactions: the answer for a user of whom nothing is known.

    Args:
        known: interactions to count.
        k: length of the list.

    Returns:
        Item indices, shape [k], int64, and their counts, shape [k].
    """
    items, counts = top_k(fitted_popularity(known).counts[None, :], k)
    return items[0], counts[0]
