"""Accuracy measures a second time: NumPy, one user after the other, from lists and sets of items."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def rank(scores: Sequence[float], k: int) -> list[int]:
    """The k best items; ties by index, NaN and minus infinity left out."""
    candidates = [item for item, score in enumerate(scores) if not math.isnan(score) and score > -math.inf]
    return sorted(candidates, key=lambda item: (-scores[item], item))[:k]


def precision(ranked: list[int], relevant: set[int], k: int) -> float:
    return len(set(ranked[:k]) & relevant) / k


def recall(ranked: list[int], relevant: set[int], k: int) -> float:
    return len(set(ranked[:k]) & relevant) / len(relevant)


def capped_recall(ranked: list[int], relevant: set[int], k: int) -> float:
    return len(set(ranked[:k]) & relevant) / min(len(relevant), k)


def hit_rate(ranked: list[int], relevant: set[int], k: int) -> float:
    return float(bool(set(ranked[:k]) & relevant))


def average_precision(ranked: list[int], relevant: set[int], k: int) -> float:
    total = 0.0
    for position, item in enumerate(ranked[:k]):
        if item in relevant:
            total += precision(ranked, relevant, position + 1)
    return total / min(len(relevant), k)


def ndcg(ranked: list[int], relevant: set[int], k: int) -> float:
    gain = sum(1 / math.log2(position + 2) for position, item in enumerate(ranked[:k]) if item in relevant)
    return gain / sum(1 / math.log2(position + 2) for position in range(min(len(relevant), k)))


def reciprocal_rank(ranked: list[int], relevant: set[int], k: int) -> float:
    return next((1 / (position + 1) for position, item in enumerate(ranked[:k]) if item in relevant), 0.0)


METRICS = {
    "precision": precision,
    "recall": recall,
    "capped_recall": capped_recall,
    "hit_rate": hit_rate,
    "map": average_precision,
    "ndcg": ndcg,
    "mrr": reciprocal_rank,
}


def diversity(items: list[int], vectors: np.ndarray) -> float:
    """One minus the mean cosine of all pairs of items with content."""
    kept = [vectors[item] for item in items if vectors[item].any()]
    pairs = [(a, b) for position, a in enumerate(kept) for b in kept[position + 1 :]]
    if not pairs:
        return math.nan
    return 1 - float(np.mean([a @ b / math.sqrt((a @ a) * (b @ b)) for a, b in pairs]))


def gini(counts: Sequence[int]) -> float:
    """The mean absolute difference of all ordered pairs, over twice the mean."""
    values = np.asarray(counts, dtype=float)
    return float(np.abs(values[:, None] - values[None, :]).mean() / (2 * values.mean()))
