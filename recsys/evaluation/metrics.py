"""Accuracy metrics of ranked lists, as pure functions.

Every function takes the same three arguments and returns one number for each user:

- ``hits``: shape [B, K], bool; whether the item at each rank, best first, is relevant to the user;
- ``num_relevant``: shape [B], int64; how many items are relevant to the user, recommended or not;
- ``k``: the cut-off, from 1 to K; only the first ``k`` ranks count.

The result has shape [B] and type float64, in [0, 1]. For a user with no relevant item the value is undefined: the
result is NaN, and means leave that user out. Ties are broken before, in :func:`recsys.evaluation.top_k.top_k`. A list
shorter than ``k`` is padded with misses. Relevance is binary.

Shape suffixes: B users, K ranks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor

from recsys.errors import EvaluationError

#: A function of this module: ``(hits, num_relevant, k) -> values``.
RankingMetric = Callable[[Tensor, Tensor, int], Tensor]


def precision(hits: Tensor, num_relevant: Tensor, k: int) -> Tensor:
    """Precision: the share of the list that is relevant, ``hits in k / k``.

    The divisor is ``k`` even if fewer than ``k`` items are relevant or could be recommended.
    Source: van Rijsbergen, Information Retrieval, 1979, chapter 7; cut at k as in trec_eval's ``P``.
    """
    return _defined(_num_hits(hits, k) / k, num_relevant)


def recall(hits: Tensor, num_relevant: Tensor, k: int) -> Tensor:
    """Recall: the share of the relevant items that is recommended, ``hits in k / num_relevant``.

    A user with more than ``k`` relevant items cannot reach 1; with :func:`capped_recall` they can.
    Source: van Rijsbergen, Information Retrieval, 1979, chapter 7; cut at k as in trec_eval's ``recall``.
    """
    return _defined(_num_hits(hits, k) / num_relevant, num_relevant)


def capped_recall(hits: Tensor, num_relevant: Tensor, k: int) -> Tensor:
    """Recall relative to the best possible list of ``k`` items, ``hits in k / min(k, num_relevant)``.

    Source: Liang et al., Variational Autoencoders for Collaborative Filtering, WWW 2018 (there called Recall@R).
    """
    return _defined(_num_hits(hits, k) / num_relevant.clamp(max=k), num_relevant)


def hit_rate(hits: Tensor, num_relevant: Tensor, k: int) -> Tensor:
    """Hit rate: 1 if the list has any relevant item, else 0.

    Source: Deshpande and Karypis, Item-Based Top-N Recommendation Algorithms, TOIS 2004.
    """
    return _defined(_first(hits, k).any(dim=1).double(), num_relevant)


def average_precision(hits: Tensor, num_relevant: Tensor, k: int) -> Tensor:
    """Average precision; its mean over users is MAP.

    ``sum over ranks r <= k of hit(r) * precision(r) / min(k, num_relevant)``, where ``precision(r)`` is that
    of the first ``r``. A list that starts with all relevant items, or has only relevant items, has 1.
    Source: Buckley and Voorhees, Evaluating Evaluation Measure Stability, SIGIR 2000; capped at k as in the Million
    Song Dataset Challenge (McFee et al., WWW 2012).
    """
    first = _first(hits, k)
    precision_at_rank = first.cumsum(dim=1) / _ranks(first)
    return _defined((precision_at_rank * first).sum(dim=1) / num_relevant.clamp(max=k), num_relevant)


def ndcg(hits: Tensor, num_relevant: Tensor, k: int) -> Tensor:
    """Normalised discounted cumulative gain with binary gains.

    ``DCG = sum over ranks r <= k of hit(r) / log2(r + 1)``, divided by the DCG of a list that starts with
    ``min(k, num_relevant)`` hits.
    Source: Järvelin and Kekäläinen, Cumulated Gain-Based Evaluation of IR Techniques, TOIS 2002.
    """
    first = _first(hits, k)
    discount = 1.0 / torch.log2(_ranks(first) + 1.0)
    ideal = discount.cumsum(dim=0)[num_relevant.clamp(min=1, max=k) - 1]
    return _defined((first * discount).sum(dim=1) / ideal, num_relevant)


def reciprocal_rank(hits: Tensor, num_relevant: Tensor, k: int) -> Tensor:
    """Reciprocal rank of the first hit, 0 if there is none in the first ``k``; its mean over users is MRR.

    Source: Voorhees, The TREC-8 Question Answering Track Report, 1999.
    """
    first = _first(hits, k)
    return _defined((first / _ranks(first)).amax(dim=1), num_relevant)


#: Metric functions by name in reports, where their means over users are printed.
RANKING_METRICS: Mapping[str, RankingMetric] = MappingProxyType(
    {
        "precision": precision,
        "recall": recall,
        "capped_recall": capped_recall,
        "hit_rate": hit_rate,
        "map": average_precision,
        "ndcg": ndcg,
        "mrr": reciprocal_rank,
    }
)

#: What validation measures between epochs: some of the above, and two of the whole catalogue.
VALIDATION_METRICS = ("ndcg", "recall", "hit_rate", "coverage", "gini")


def _first(hits: Tensor, k: int) -> Tensor:
    if not 1 <= k <= hits.shape[1]:
        raise EvaluationError(
            f"the cut-off k must be from 1 to the number of ranks, which is {hits.shape[1]}; it is {k}: "
            "rank more items or lower k"
        )
    return hits[:, :k]


def _num_hits(hits: Tensor, k: int) -> Tensor:
    return _first(hits, k).sum(dim=1, dtype=torch.float64)


def _ranks(hits: Tensor) -> Tensor:
    return torch.arange(1, hits.shape[1] + 1, device=hits.device, dtype=torch.float64)


def _defined(values: Tensor, num_relevant: Tensor) -> Tensor:
    return torch.where(num_relevant > 0, values, torch.nan)
