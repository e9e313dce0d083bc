"""Maximal marginal relevance: the next item is good, and unlike those before it.

Shape suffixes: B requests, C candidates, K list length, I items, F dimensions of content.
"""

from __future__ import annotations

import numpy as np

from recsys.retrieval.candidates import Candidates
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.reranking.reranker import MAX_NUMBERS, best_left, check_diversity_weight, normalised_scores
from recsys.retrieval.types import FloatArray, IntArray


class MMR:
    """Chooses greedily the candidate with a high score that is least like those chosen before.

    It has the largest ``(1 - diversity_weight) * score - diversity_weight * max cos(item, chosen)``.

    The cosine is that of the items' contents, and the maximum over the items chosen before, 0 for the first. Scores
    are scaled to [0, 1] within the candidates of each user
    (:func:`recsys.retrieval.reranking.reranker.normalised_scores`). With weight 0 the list stays as it is.
    An item without content is like no other. Carbonell, Goldstein: The Use of MMR, Diversity-Based Reranking for
    Reordering Documents and Producing Summaries, SIGIR 1998.

    Takes ``2 * B * C * F * K`` operations.

    Args:
        vectors: content of the items, shape [I, F], any numbers; a row of zeros for an item without.
        diversity_weight: from 0 to 1.

    Raises:
        RetrievalError: ``diversity_weight`` is out of range.
    """

    def __init__(self, vectors: FloatArray, diversity_weight: float) -> None:
        check_diversity_weight(diversity_weight)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        self._directions = (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
        self.diversity_weight = diversity_weight

    def rerank(self, requests: RequestBatch, candidates: Candidates, k: int) -> IntArray:
        """See :meth:`recsys.retrieval.reranking.reranker.Reranker.rerank`."""
        scores = normalised_scores(candidates)
        size = max(1, MAX_NUMBERS // max(1, candidates.width * self._directions.shape[1]))
        chosen = np.full((len(candidates), k), -1, dtype=np.int64)
        for start in range(0, len(candidates), size):
            block = slice(start, start + size)
            chosen[block] = self._choose(candidates.items[block], scores[block], k)
        return chosen

    def _choose(self, items: IntArray, scores: FloatArray, k: int) -> IntArray:
        """The positions that are chosen of each list, shape [B, K]."""
        rows = np.arange(len(items))
        directions = self._directions[np.maximum(items, 0)]
        left = items >= 0
        closest = np.zeros(items.shape)
        chosen = np.full((len(items), k), -1, dtype=np.int64)
        for place in range(min(k, items.shape[1])):
            best = best_left((1 - self.diversity_weight) * scores - self.diversity_weight * closest, left)
            chosen[:, place] = best
            left[rows, best] &= best < 0  # a row without candidates has nothing to lose at its last place
            # Rounded, so that items of the same content are equally close on every machine, and the first is chosen.
            cosine = np.round(np.matmul(directions, directions[rows, best][:, :, None])[:, :, 0], 6)
            closest = cosine if place == 0 else np.maximum(closest, cosine)
        return chosen
