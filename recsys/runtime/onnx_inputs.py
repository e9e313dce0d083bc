"""What goes into and comes out of the ONNX models of a bundle.

Shape suffixes: B queries, L positions, C candidates of each, K explained items of each, D dimensions, I items of the
catalogue, N new items, W numbers of a new item's vector.

Every query encoder takes ``user_index`` [B], ``history`` [B, L], ``rating`` [B, L] and ``timestamp`` [B, L] and gives
``query`` [B, D], or [B, I] where it scores the catalogue; a ranker takes ``candidates`` [B, C] as well, and where it
scores new items ``new_items`` [N, W] (candidate I + n is the n-th of them), and gives ``score`` [B, C]; an explainer
takes ``candidates`` [B, K] and gives ``contributions`` [B, L, K] and ``rest`` [B, K]. Models that read columns of users
have an input for each (:func:`feature_input`): codes [B, W] of at most W values, or numbers [B].
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.types import FloatArray, IntArray

QUERY_INPUTS = ("user_index", "history", "rating", "timestamp")
CANDIDATES = "candidates"
NEW_ITEMS = "new_items"
QUERY = "query"
SCORE = "score"
CONTRIBUTIONS = "contributions"
REST = "rest"

#: Stands for a time that is not known.
NO_TIMESTAMP = np.iinfo(np.int64).min

OnnxInputs = dict[str, npt.NDArray[Any]]


def feature_input(column: str) -> str:
    """The name of the input for a column of users.

    Example:
        >>> feature_input("occupation")
        'user.occupation'
    """
    return f"user.{column}"


def query_inputs(requests: RequestBatch, min_width: int = 1) -> OnnxInputs:
    """The inputs of a query encoder for B requests.

    Args:
        requests: users and their histories.
        min_width: L is at least this; the longest history decides where it is longer.
    """
    history = requests.history
    width = max(1, min_width, int(history.counts.max(initial=0)))
    return {
        "user_index": requests.users.astype(np.int64, copy=False),
        "history": _padded(history, history.items, width, -1, np.int64),
        "rating": _padded(history, history.rating, width, np.nan, np.float32),
        "timestamp": _padded(history, history.timestamp, width, NO_TIMESTAMP, np.int64),
        **{feature_input(column): values for column, values in requests.features.items()},
    }


def ranker_feeds(queries: OnnxInputs, candidates: IntArray) -> OnnxInputs:
    """The inputs of a ranker: those of the encoder, and the candidates, shape [B, C], -1 for none."""
    return {**queries, CANDIDATES: candidates.astype(np.int64, copy=False)}


def no_new_items(width: int) -> FloatArray:
    """The input ``new_items`` of a ranker where there are none: one of which nothing is known, as no table is empty."""
    return np.full((1, width), np.nan, dtype=np.float32)


def _padded(
    lists: RaggedItems, values: npt.NDArray[Any] | None, width: int, padding: float, dtype: type[np.generic]
) -> npt.NDArray[Any]:
    """Ragged ``values`` as rows of ``width``, filled up at their end; all padding where there are none."""
    rows = np.full((len(lists), width), padding, dtype=dtype)
    if values is not None:
        rows[np.arange(width) < lists.counts[:, None]] = values
    return rows
