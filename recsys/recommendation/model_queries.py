"""Requests as models are asked, and back. Shape suffix: B requests."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recsys.data.histories import Histories
from recsys.models.interface.protocols import Query
from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.request_batch import RequestBatch


def query_of(requests: RequestBatch, device: torch.device | str = "cpu") -> Query:
    """The query of B requests, on ``device``."""

    def put(column: npt.NDArray[Any] | None) -> Tensor | None:
        return None if column is None else torch.tensor(column, device=device)

    history = requests.history
    histories = Histories(
        offsets=torch.tensor(history.offsets, device=device),
        items=torch.tensor(history.items, device=device),
        rating=put(history.rating),
        timestamp=put(history.timestamp),
    )
    features = {name: torch.tensor(values, device=device) for name, values in requests.features.items()}
    return Query(torch.tensor(requests.users, device=device), histories, features)


def requests_of(query: Query) -> RequestBatch:
    """The requests of a query of B users, who exclude nothing."""
    features = {name: values.cpu().numpy() for name, values in query.features.items()}
    users: npt.NDArray[np.int64] = query.users.cpu().numpy()
    nothing = RaggedItems.empty(len(users))
    return RequestBatch(users, ragged_items_of(query.histories), nothing, nothing, features)


def ragged_items_of(histories: Histories) -> RaggedItems:
    """The same histories in NumPy."""

    def array(column: Tensor | None) -> npt.NDArray[Any] | None:
        return None if column is None else column.cpu().numpy()

    return RaggedItems(
        histories.offsets.cpu().numpy(),
        histories.items.cpu().numpy(),
        array(histories.rating),
        array(histories.timestamp),
    )
