"""Answers one user: with a list of their own, or with what is popular where nothing is known of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from recsys.data.prepared import PreparedDataset
from recsys.models.interface.protocols import Recommender
from recsys.recommendation.list_options import ListOptions
from recsys.recommendation.model_stages import ScoreRetriever
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.retrievers import StaticRetriever


@dataclass(frozen=True, slots=True)
class Answer:
    """A list for one user.

    Args:
        items: item indices, best first, shape [N], int64.
        scores: shape [N].
        personalized: whether it is the user's own; else the items are popular, and the scores are numbers of interactions.
        notes: what the user should know of it, in sentences.
    """

    items: Tensor
    scores: Tensor
    personalized: bool
    notes: tuple[str, ...] = ()


def own_list(
    model: Recommender, request: RequestBatch, wishes: ListOptions, k: int, prepared: PreparedDataset
) -> Answer:
    """The list that ``model`` makes for one user.

    A user who was not in training, and for whom the model finds nothing, gets what is popular.

    Args:
        model: any model, on the CPU.
        request: who asks, one user.
        wishes: what the list should be.
        k: length of the list.
        prepared: the data.

    Raises:
        RetrievalError: a wish names what does not exist, or ``k`` is not a positive whole number.
    """
    retriever = ScoreRetriever(model, prepared.schema.num_items)
    items, scores = wishes.recommend(retriever, request, k, prepared)
    if len(items) == 0 and request.users[0] < 0:
        told = "What is left of the history" if len(request.seen.items) > 0 else "What is known of this user"
        reason = f"{told} tells the model nothing"
        if wishes.restrict and len(request.history.items) > 0:
            reason = "The model finds nothing among what the rules allow"
        return popular_list(request, wishes, k, prepared, f"{reason}: here is what is popular.")
    return Answer(items, scores, True, _of_length(len(items), wishes, k))


def popular_list(request: RequestBatch, wishes: ListOptions, k: int, prepared: PreparedDataset, reason: str) -> Answer:
    """The items with the most positive interactions, beginning with the ``reason``; arguments as above."""
    counts = np.bincount(prepared.positives().item_index, minlength=prepared.schema.num_items)
    items, scores = wishes.recommend(StaticRetriever(counts.astype(np.float32)), request, k, prepared)
    return Answer(items, scores, False, (reason, *_of_length(len(items), wishes, k)))


def _of_length(num_items: int, wishes: ListOptions, k: int) -> tuple[str, ...]:
    return (f"The rules leave {num_items} unseen items.",) if wishes.restrict and num_items < k else ()
