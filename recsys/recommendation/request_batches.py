"""Batches of requests, from what the data have of users."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from recsys.data.histories import Histories
from recsys.data.prepared import PreparedDataset
from recsys.evaluation.ranking_task import RankingTask
from recsys.recommendation.model_queries import ragged_items_of
from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.types import IntArray


def request_of_user(user: int, prepared: PreparedDataset, min_rating: float | None) -> RequestBatch:
    """The request of one user of the vocabulary.

    Args:
        user: internal index.
        prepared: the data; what the user has seen there is not recommended again.
        min_rating: what is rated lower does not enter the history; None: everything enters.
    """
    seen = prepared.interactions
    own = seen.take(np.flatnonzero(seen.user_index == user))
    known = own.take(own.rows_rated_at_least(min_rating))
    users = np.array([user])
    items = np.unique(own.item_index).astype(np.int64)
    return RequestBatch.of(
        users,
        ragged_items_of(Histories.from_interactions(known).take(_tensor(users))),
        RaggedItems.of([items.tolist()]),
    )


def requests_of_task(task: RankingTask, users: IntArray) -> RequestBatch:
    """Requests of users (shape [B], int64) who are evaluated; what is left out of their lists is what the task says."""
    rows, items = task.seen.pairs_of(_tensor(users).to(task.users.device))
    return _requests(users, task.histories, rows, items)


def _requests(users: IntArray, histories: Histories, seen_rows: Tensor, seen_items: Tensor) -> RequestBatch:
    history = ragged_items_of(histories.take(_tensor(users).to(histories.offsets.device)))
    seen = RaggedItems.from_pairs(seen_rows.cpu().numpy(), seen_items.cpu().numpy(), len(users))
    return RequestBatch.of(users, history, seen)


def _tensor(users: IntArray) -> Tensor:
    return torch.from_numpy(users)
