"""Proves that an exported ranker scores new items as its serving form does in PyTorch.

Shape suffixes: B queries, I items of the catalogue, C candidates of each, N new items, W numbers of the vector of a new
item.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from recsys.export.parity import Parity, compare_scores, joined_parity
from recsys.models.onnx.onnx_query import OnnxQuery
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.types import FloatArray, IntArray
from recsys.runtime.onnx_inputs import QUERY_INPUTS, query_inputs


def check_new_items(
    ranker: nn.Module,
    ranked: Callable[[RequestBatch, IntArray], FloatArray],
    candidates: Callable[[RequestBatch], IntArray],
    queries: Mapping[str, RequestBatch],
    new_items: Tensor,
    num_items: int,
) -> Parity:
    """Compare scores of candidates of which every other one is new, with the features of an item of the catalogue.

    Args:
        ranker: the serving form in PyTorch, which takes vectors of new items.
        ranked: gives the scores of what was exported, shape [B, C].
        candidates: of requests, shape [B, C], -1 for none.
        queries: by name.
        new_items: vectors of the first items of the catalogue as if they were new, shape [N, W].
        num_items: size of the catalogue, I.

    Raises:
        ExportError: a score or a list differs.
    """
    parts = []
    for name, requests in queries.items():
        items = candidates(requests)
        becomes_new = (items >= 0) & (items < len(new_items)) & (np.arange(items.shape[1]) % 2 == 1)
        items = np.where(becomes_new, num_items + items, items)
        inputs = query_inputs(requests)
        users, history, ratings, timestamps = (torch.from_numpy(inputs[key]) for key in QUERY_INPUTS)
        features = {column: torch.from_numpy(values) for column, values in requests.features.items()}
        query = OnnxQuery(users, history, ratings, timestamps, features)
        with torch.inference_mode():
            expected = ranker(query, torch.from_numpy(items), new_items).numpy()
        expected, found = (np.where(items >= 0, scores, np.nan) for scores in (expected, ranked(requests, items)))
        parts.append(compare_scores(name, expected, found))
    return joined_parity(parts)
