"""Calibrated recommendations: a list has the genres of the user's history, in the same shares.

Shape suffixes: B requests, C candidates, K list length, I items, V values, W values of one item at most.
"""

from __future__ import annotations

import numpy as np

from recsys.retrieval.candidates import Candidates
from recsys.retrieval.item_columns import Values
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.reranking.reranker import MAX_NUMBERS, best_left, check_diversity_weight, normalised_scores
from recsys.retrieval.types import BoolArray, FloatArray, IntArray

#: Share of the history's distribution that is mixed into the list's, so that the divergence is finite (the paper's).
MIXED_IN = 0.01


class CalibratedReranker:
    """Chooses greedily the list that is best by its scores and by how it matches the genres of the history.

    The list has the largest ``(1 - diversity_weight) * sum of scores - diversity_weight * KL(p, q)``.

    ``p(g)`` is the share of genre ``g`` in the history, where an item with n genres counts 1 / n for each of them, and
    ``q(g)`` that in the list, with 1 % of ``p`` mixed in. Items without genres are in neither; a user whose history
    has none gets the list as it is. Scores are scaled to [0, 1] within the candidates of each user
    (:func:`recsys.retrieval.reranking.reranker.normalised_scores`). With weight 0 the list stays as it is. Steck:
    Calibrated Recommendations, RecSys 2018; every interaction of the history counts the same here.

    Takes ``B * C * W * K`` logarithms.

    Args:
        genres: of the items; any column with values will do.
        diversity_weight: from 0 to 1.

    Raises:
        RetrievalError: ``diversity_weight`` is out of range.
    """

    def __init__(self, genres: Values, diversity_weight: float) -> None:
        check_diversity_weight(diversity_weight)
        self._codes = genres.padded()
        self._counts = np.bincount(genres.items, minlength=genres.num_items)
        self._num_values = len(genres.vocabulary)
        self.diversity_weight = diversity_weight

    def rerank(self, requests: RequestBatch, candidates: Candidates, k: int) -> IntArray:
        """See :meth:`recsys.retrieval.reranking.reranker.Reranker.rerank`."""
        scores = normalised_scores(candidates)
        wanted = self._wanted(requests)
        size = max(1, MAX_NUMBERS // max(1, candidates.width * self._codes.shape[1] + self._num_values))
        chosen = np.full((len(candidates), k), -1, dtype=np.int64)
        for start in range(0, len(candidates), size):
            block = slice(start, start + size)
            chosen[block] = self._choose(candidates.items[block], scores[block], wanted[block], k)
        return chosen

    def divergence(self, requests: RequestBatch, items: IntArray) -> FloatArray:
        """``KL(p, q)`` of lists, in nats.

        Args:
            requests: B of them.
            items: the lists, shape [B, K], int64; -1 where there is no item.

        Returns:
            Shape [B], float64, 0 or more; NaN where no item of the history has a genre.
        """
        wanted = self._wanted(requests)
        rows = np.broadcast_to(np.arange(len(items))[:, None], items.shape)[items >= 0]
        found = _mixed(self._shares(rows, items[items >= 0], len(items)), wanted)
        known = wanted > 0
        terms = wanted * np.log(np.divide(wanted, found, out=np.ones_like(wanted), where=known))
        return np.where(known.any(axis=1), terms.sum(axis=1), np.nan)

    def _wanted(self, requests: RequestBatch) -> FloatArray:
        """``p`` of each request, shape [B, V]; zeros where it is not known."""
        return self._shares(requests.history.rows, requests.history.items, len(requests))

    def _shares(self, rows: IntArray, items: IntArray, num_rows: int) -> FloatArray:
        """The shares of values among the items of each row, shape [B, V]."""
        sums = self._sums(rows, items, num_rows)
        totals = sums.sum(axis=1, keepdims=True)
        return np.divide(sums, totals, out=np.zeros_like(sums), where=totals > 0)

    def _sums(self, rows: IntArray, items: IntArray, num_rows: int) -> FloatArray:
        """How much of each value the items of each row have together, shape [B, V]; 1 for each item with a value."""
        codes = self._codes[items]
        there = codes >= 0
        keys = (rows[:, None] * self._num_values + codes)[there]
        parts = np.broadcast_to(1 / np.maximum(self._counts[items], 1)[:, None], codes.shape)[there]
        flat = np.bincount(keys, weights=parts, minlength=num_rows * self._num_values)
        return flat.astype(np.float64, copy=False).reshape(num_rows, self._num_values)

    def _choose(self, items: IntArray, scores: FloatArray, wanted: FloatArray, k: int) -> IntArray:
        """The positions that are chosen of each list, shape [B, K].

        Adding an item changes the shares of its own values only, apart from the common divisor. So ``sum p log q`` of
        the list with the item is that of the list with an item that has none of the values, and a change for each value
        of the item.
        """
        num_rows, width = items.shape
        rows = np.arange(num_rows)
        codes = np.where(items[:, :, None] >= 0, self._codes[np.maximum(items, 0)], -1)
        has_values: BoolArray = np.asarray((codes >= 0).any(axis=2))
        part = (1 - MIXED_IN) / np.maximum(self._counts[np.maximum(items, 0)], 1)[:, :, None]
        index = rows[:, None, None], np.maximum(codes, 0)
        weight = np.where(codes >= 0, wanted[index], 0)
        left = items >= 0
        sums = np.zeros_like(wanted)
        size = np.zeros((num_rows, 1))  # chosen items that have values
        chosen = np.full((num_rows, k), -1, dtype=np.int64)
        for place in range(min(k, width)):
            base = (1 - MIXED_IN) * sums / (size + 1) + MIXED_IN * wanted
            grown = base[index] + part / (size + 1)[:, :, None]
            ratio = np.divide(grown, base[index], out=np.ones_like(grown), where=weight > 0)
            change = (weight * np.log(ratio)).sum(axis=2)
            unchanged = _mixed(sums / np.maximum(size, 1), wanted)
            likeness = np.where(has_values, _log_likelihood(wanted, base) + change, _log_likelihood(wanted, unchanged))
            best = best_left((1 - self.diversity_weight) * scores + self.diversity_weight * likeness, left)
            chosen[:, place] = best
            left[rows, best] &= best < 0  # a row without candidates has nothing to lose at its last place
            taken = np.where(best >= 0, items[rows, best], -1)
            there = taken >= 0
            sums += self._sums(rows[there], taken[there], num_rows)
            size[:, 0] += there & has_values[rows, best]
        return chosen


def _mixed(shares: FloatArray, wanted: FloatArray) -> FloatArray:
    """``q`` with a little of ``p`` in it."""
    return (1 - MIXED_IN) * shares + MIXED_IN * wanted


def _log_likelihood(wanted: FloatArray, found: FloatArray) -> FloatArray:
    """``sum p log q``, shape [B, 1]: the KL divergence but for its sign and a constant of the user."""
    logs = np.log(np.where(wanted > 0, found, 1))
    return (wanted * logs).sum(axis=1, keepdims=True)
