"""Merges the candidates of several retrievers. Shape suffixes: B requests, C candidates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsys.retrieval.candidates import NO_ITEM, Candidates
from recsys.retrieval.types import IntArray

#: The constant of the paper: the larger, the less the first ranks stand out.
RANK_CONSTANT = 60


def merge(lists: Sequence[Candidates], num_candidates: int, weights: Sequence[float]) -> Candidates:
    """Reciprocal rank fusion: an item's score is ``sum over lists l of w_l / (60 + rank_l)``, with ranks from 1.

    Scores of different models have no common scale, ranks have. A list without the item adds nothing. Between equal
    scores the lower item index comes first. Cormack, Clarke, Buettcher: Reciprocal Rank Fusion outperforms Condorcet
    and individual Rank Learning Methods, SIGIR 2009.

    Args:
        lists: of the same B requests, each of any width; an item is in a list at most once.
        num_candidates: width of the merged lists.
        weights: one for each list.
    """
    items = np.concatenate([candidates.items for candidates in lists], axis=1)
    parts = np.concatenate(
        [
            np.broadcast_to(weight / (RANK_CONSTANT + 1 + np.arange(candidates.width)), candidates.items.shape)
            for candidates, weight in zip(lists, weights, strict=True)
        ],
        axis=1,
    )
    # Equal items come to stand side by side, and the first of them collects what the others have.
    order = np.argsort(items, axis=1, kind="stable")
    items, parts = np.take_along_axis(items, order, axis=1), np.take_along_axis(parts, order, axis=1)
    first = np.ones(items.shape, dtype=np.bool_)
    first[:, 1:] = items[:, 1:] != items[:, :-1]
    group: IntArray = np.cumsum(first, axis=None).reshape(items.shape) - 1
    totals = np.bincount(group.ravel(), weights=parts.ravel())
    scores = np.where(first & (items >= 0), totals[group], -np.inf)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :num_candidates]
    scores = np.take_along_axis(scores, best, axis=1)
    items = np.where(scores > -np.inf, np.take_along_axis(items, best, axis=1), NO_ITEM)
    return Candidates(items, scores).padded(num_candidates)
