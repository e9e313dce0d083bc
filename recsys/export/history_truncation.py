"""What it costs to give models the latest interactions alone.

Shape suffixes: B users, I items of the catalogue, K list length.
"""

from __future__ import annotations

import numpy as np

from recsys.export.parity import K, shared_items
from recsys.export.served_models import ExportedModels, products
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.top_k import top_k
from recsys.retrieval.types import IntArray


def cost_of_cut(
    models: ExportedModels, whole: RequestBatch, cut: RequestBatch, num_candidates: int
) -> dict[str, float]:
    """How many items of the lists of K stay, for the manifest.

    Args:
        models: of the bundle.
        whole: B users with all of their history.
        cut: the same users with a part of it.
        num_candidates: that a ranker gets.

    Returns:
        ``top_10_overlap``, the share of the items that are in both lists; ``share_of_users`` whose history is cut; and
        the overlap of theirs alone, 1 where there are none.
    """
    first, second = (_lists(models, requests, num_candidates) for requests in (whole, cut))
    shared = shared_items(first, second)
    is_cut = whole.history.counts > cut.history.counts

    def overlap(rows: IntArray) -> float:
        listed = int((first[rows] >= 0).sum())
        return float(shared[rows].sum() / listed) if listed > 0 else 1.0

    return {
        "top_10_overlap": overlap(np.arange(len(first))),
        "share_of_users": float(is_cut.mean()),
        "top_10_overlap_of_these": overlap(np.flatnonzero(is_cut)),
    }


def _lists(models: ExportedModels, requests: RequestBatch, num_candidates: int) -> IntArray:
    """The K best items that were not seen, shape [B, K], -1 where a list has ended."""
    scores = products(models.encode(requests), models.item_vectors).copy()
    rows = np.repeat(np.arange(len(requests)), requests.seen.counts)
    scores[rows, requests.seen.items] = np.nan
    if models.rank is None:
        return top_k(scores, K).items
    candidates = top_k(scores, num_candidates).items
    ranked = np.where(candidates >= 0, models.rank.score(requests, candidates), np.nan)
    places = top_k(ranked, K).items
    return np.where(places >= 0, np.take_along_axis(candidates, np.maximum(places, 0), axis=1), -1)
