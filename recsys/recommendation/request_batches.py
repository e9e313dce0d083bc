"""Requests to a pipeline, from what the data know of users and from what a new user tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recsys.data.histories import Histories
from recsys.data.prepared import PreparedDataset
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.interface.protocols import UsesUserFeatures
from recsys.recommendation.new_user import NewUser
from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.types import IntArray
from recsys.runtime.user_features import FeatureValue, UserFeatures


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
        users, _lists(Histories.from_interactions(known).take(_tensor(users))), RaggedItems.of([items.tolist()])
    )


def anonymous_request() -> RequestBatch:
    """The request of one user of whom nothing is known."""
    return RequestBatch.of(np.array([-1]), RaggedItems.empty(1), RaggedItems.empty(1))


def with_features(
    request: RequestBatch, model: object, prepared: PreparedDataset, told: Mapping[str, FeatureValue]
) -> tuple[RequestBatch, tuple[str, ...]]:
    """The request of one user with what is told of their columns; those that are not told are as the data have them.

    Args:
        request: of one user.
        model: that is asked.
        prepared: the data.
        told: values by column; none: the request stays as it is.

    Returns:
        The request, and values that the data do not have, as ``column: value``.

    Raises:
        RecsysError: the model does not read a column, or a value is of another type than it should be.
    """
    if not told:
        return request, ()
    columns = model.user_columns() if isinstance(model, UsesUserFeatures) else ()
    features, unknown = UserFeatures(columns, prepared.users).of(int(request.users[0]), told)
    return replace(request, features=features), unknown


def requests_of_task(task: RankingTask, users: IntArray) -> RequestBatch:
    """Requests of users (shape [B], int64) who are evaluated.

    An item that is known and held out may come back, as in
    :meth:`recsys.evaluation.ranking_task.RankingTask.mask_seen`.
    """
    asked = _tensor(users).to(task.users.device)
    rows, items = task.seen.pairs_of(asked)
    comes_back = task.targets.contains(asked[rows], items)
    return _requests(users, task.histories, rows[~comes_back], items[~comes_back])


def request_of_new_user(user: NewUser) -> RequestBatch:
    """The request of one user who was not in training."""
    seen = user.seen.numpy()
    return RequestBatch.of(np.array([-1]), _lists(user.history), RaggedItems.of([seen.tolist()]))


def _requests(users: IntArray, histories: Histories, seen_rows: Tensor, seen_items: Tensor) -> RequestBatch:
    history = _lists(histories.take(_tensor(users).to(histories.items.device)))
    seen = RaggedItems.from_pairs(seen_rows.cpu().numpy(), seen_items.cpu().numpy(), len(users))
    return RequestBatch.of(users, history, seen)


def _lists(histories: Histories) -> RaggedItems:
    def array(column: Tensor | None) -> npt.NDArray[Any] | None:
        return None if column is None else column.cpu().numpy()

    return RaggedItems(
        histories.offsets.cpu().numpy(),
        histories.items.cpu().numpy(),
        array(histories.rating),
        array(histories.timestamp),
    )


def _tensor(users: IntArray) -> Tensor:
    return torch.from_numpy(users)
