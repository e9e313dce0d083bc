"""ONNX models as stages of a pipeline.

Shape suffixes: B requests, C candidates, D dimensions, N new items, W numbers of a new item's vector.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.types import FloatArray, IntArray
from recsys.runtime.onnx_inputs import NEW_ITEMS, OnnxInputs, no_new_items, query_inputs, ranker_feeds
from recsys.runtime.onnx_model import OnnxModel

#: Numbers that a model holds at once for the histories of a block of requests, at most: 2**26 float32 are 256 MiB.
MAX_NUMBERS = 2**26


class OnnxEncoder:
    """Encodes requests, in blocks that bound the memory.

    Args:
        model: a query encoder.
        floats_per_position: numbers that it holds for each position of each history.
    """

    def __init__(self, model: OnnxModel, floats_per_position: int) -> None:
        self._model = model
        self._numbers = floats_per_position

    def __call__(self, requests: RequestBatch) -> FloatArray:
        """Shape [B, D]; a row of NaN where the model does not score."""
        blocks = [self._model.run(query_inputs(block)) for block in _blocks(requests, self._numbers)]
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


class OnnxRanker:
    """Scores candidates; see :class:`recsys.retrieval.ranker.Ranker`.

    Args:
        model: a ranker.
        floats_per_position: as above.
        num_items: of the catalogue that the ranker was trained with.
        new_items: gives the vectors of later items, shape [N, W], as far as the ranker scores them; None: it scores
            none of them, and takes no such input.
    """

    def __init__(
        self,
        model: OnnxModel,
        floats_per_position: int,
        num_items: int,
        new_items: Callable[[], FloatArray] | None = None,
    ) -> None:
        self._model = model
        self._numbers = floats_per_position
        self._num_items = num_items
        self._new_items = new_items

    def score(self, requests: RequestBatch, items: IntArray) -> FloatArray:
        """See :meth:`recsys.retrieval.ranker.Ranker.score`."""
        given: OnnxInputs = {}
        num_known = self._num_items
        if self._new_items is not None:
            vectors = self._new_items()
            num_known += len(vectors)
            given[NEW_ITEMS] = vectors if len(vectors) > 0 else no_new_items(vectors.shape[1])
        known = items < num_known
        scores = self._scored(requests, items if known.all() else np.where(known, items, -1), given)
        return scores if known.all() else np.where(known, scores, np.nan)

    def _scored(self, requests: RequestBatch, items: IntArray, given: OnnxInputs) -> FloatArray:
        scores, start = [], 0
        for block in _blocks(requests, self._numbers):
            onnx_inputs = ranker_feeds(query_inputs(block), items[start : start + len(block)]) | given
            scores.append(self._model.run(onnx_inputs))
            start += len(block)
        return scores[0] if len(scores) == 1 else np.concatenate(scores)


def _blocks(requests: RequestBatch, floats_per_position: int) -> list[RequestBatch]:
    """Consecutive requests, so many at once as the longest history allows; at least one block."""
    longest = int(requests.history.counts.max(initial=1))
    size = max(1, MAX_NUMBERS // max(1, longest * floats_per_position))
    if len(requests) <= size:
        return [requests]
    rows = np.arange(len(requests))
    return [requests.take(rows[start : start + size]) for start in range(0, len(requests), size)]
