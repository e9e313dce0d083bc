"""The protocol that ranks each held-out item among a few fixed negatives.

Source: He et al., Neural Collaborative Filtering, WWW 2017. Its numbers differ from those of a ranking of the full
catalogue, and may order models differently: Krichene and Rendle, On Sampled Metrics for Item Recommendation, KDD 2020.

Shape suffixes: B rows of a batch, N negatives, C = 1 + N candidates, with the held-out item first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recsys.data.histories import Histories
from recsys.errors import EvaluationError, ModelError
from recsys.evaluation.means import FloatArray, mean_over_users
from recsys.evaluation.metrics import hit_rate, ndcg
from recsys.evaluation.statistics.significance import Interval, bootstrap_intervals
from recsys.evaluation.top_k import without_nan
from recsys.models.interface.protocols import Query, ScoresPairs, ScoringModel

#: Every report must print this next to the numbers.
WARNING = (
    "sampled metric: each held-out item is ranked among a few fixed negatives, not among the full catalogue. "
    "Compare these numbers only with others of the same protocol and the same negatives."
)


@dataclass(frozen=True, slots=True, eq=False)
class FixedNegativesResult:
    """Measures of one model under the protocol.

    Args:
        num_negatives: negatives of each held-out item, N.
        users: internal index of the user of each row, shape [n], int64.
        per_row: measure, such as ``hit_rate@10`` (ties in favour of the held-out item) or ``hit_rate@10_strict``
            (ties against it), and its value for each row, shape [n], float64.
        intervals: 95 % bootstrap interval of the mean of each entry of ``per_row``; empty without a bootstrap.
    """

    num_negatives: int
    users: npt.NDArray[np.int64]
    per_row: dict[str, FloatArray]
    intervals: dict[str, Interval]

    def means(self) -> dict[str, float]:
        """The mean over rows of each entry of :attr:`per_row`."""
        return {name: float(mean_over_users(values[:, None])[0]) for name, values in self.per_row.items()}

    def flat(self) -> dict[str, float]:
        """All numbers under one level of names.

        ``sampled-99/hit_rate@10``, its interval ``sampled-99/hit_rate@10_low`` and ``_high``, the strict variant
        ``sampled-99/hit_rate@10_strict`` and its own interval, where 99 is the number of negatives.
        """
        numbers = dict(self.means())
        for name, (low, high) in self.intervals.items():
            numbers[f"{name}_low"], numbers[f"{name}_high"] = low, high
        return {f"sampled-{self.num_negatives}/{name}": value for name, value in numbers.items()}


def evaluate_fixed_negatives(
    model: ScoresPairs | ScoringModel,
    users: Tensor,
    targets: Tensor,
    negatives: Tensor,
    ks: Sequence[int] = (10,),
    *,
    histories: Histories | None = None,
    batch_size: int = 512,
    bootstrap_samples: int = 1000,
    seed: int = 0,
) -> FixedNegativesResult:
    """Rank each held-out item among its negatives; hit rate and NDCG at each cut-off.

    Ties: the rank of the held-out item is the number of negatives that score strictly higher; in the strict variant it
    is the number that score at least as high. A negative that is the held-out item itself counts as a tie. An unscored
    item (NaN) ranks last: an unscored negative is below the held-out item, an unscored held-out item is behind all
    negatives.

    Args:
        model: scores pairs; otherwise it scores the whole catalogue, from which the candidates are taken.
        users: shape [n], int64, on the model's device, like all tensors here.
        targets: the held-out item of each row, shape [n], int64.
        negatives: shape [n, N], int64; known items are not removed here.
        ks: cut-offs, from 1 to N: beyond N every item would be a hit.
        histories: known interactions of all users, required for a model that scores the whole catalogue.
        batch_size: rows scored at once.
        bootstrap_samples: resamples of rows for 95 % intervals; 0 for none.
        seed: seed of the bootstrap.

    Raises:
        EvaluationError: there are no rows, shapes disagree, a cut-off is out of range, or the model scores the whole
            catalogue and ``histories`` are missing.
        ModelError: the model's scores have another shape.
    """
    num_rows, num_negatives = _checked_shape(users, targets, negatives)
    if not ks or min(ks) < 1 or max(ks) > num_negatives:
        raise EvaluationError(
            f"cut-offs must be from 1 to the number of negatives, which is {num_negatives}; they are {list(ks)}: "
            "correct them or give more negatives"
        )
    if not isinstance(model, ScoresPairs) and histories is None:
        raise EvaluationError(
            f"{type(model).__name__} scores the whole catalogue from the users' histories; there are none: "
            "pass histories="
        )
    ranks = []
    with torch.inference_mode():
        for start in range(0, num_rows, batch_size):
            rows = slice(start, start + batch_size)
            candidates = torch.cat([targets[rows, None], negatives[rows]], dim=1)
            scores = _score(model, users[rows], candidates, histories)
            ranks.append(_ranks(scores, candidates))
    rank, strict_rank = torch.cat(ranks, dim=1)

    ones = torch.ones_like(rank)
    columns = {}
    for k in ks:
        for suffix, place in (("", rank), ("_strict", strict_rank)):
            hits = place[:, None] == torch.arange(k, device=place.device)
            columns[f"hit_rate@{k}{suffix}"] = hit_rate(hits, ones, k).cpu().numpy()
            columns[f"ndcg@{k}{suffix}"] = ndcg(hits, ones, k).cpu().numpy()
    values = np.stack(list(columns.values()), axis=1)
    intervals = bootstrap_intervals(values, bootstrap_samples, seed) if bootstrap_samples > 0 else []
    of_columns = dict(zip(columns, intervals, strict=False))
    return FixedNegativesResult(num_negatives, users.cpu().numpy(), columns, of_columns)


def _checked_shape(users: Tensor, targets: Tensor, negatives: Tensor) -> tuple[int, int]:
    if users.ndim != 1 or users.shape != targets.shape or negatives.ndim != 2 or len(negatives) != len(users):
        raise EvaluationError(
            "users and targets must have shape [n] and negatives shape [n, N]; they have "
            f"{list(users.shape)}, {list(targets.shape)} and {list(negatives.shape)}: "
            "pass one row for each held-out item"
        )
    if len(users) == 0:
        raise EvaluationError("the protocol needs at least one held-out item; there are none: pass test rows")
    return negatives.shape[0], negatives.shape[1]


def _score(
    model: ScoresPairs | ScoringModel, users: Tensor, candidates_BC: Tensor, histories: Histories | None
) -> Tensor:
    if isinstance(model, ScoresPairs):
        scores = model.score_pairs(users[:, None], candidates_BC)
    else:
        assert histories is not None, "checked by the caller"
        scores = model.score(Query(users, histories.take(users))).gather(1, candidates_BC)
    if scores.shape != candidates_BC.shape:
        raise ModelError(
            f"a model must return one score for each pair, shape {list(candidates_BC.shape)}; {type(model).__name__} "
            f"returned shape {list(scores.shape)}: let users and items broadcast"
        )
    return scores


def _ranks(scores_BC: Tensor, candidates_BC: Tensor) -> Tensor:
    """Number of negatives ranked above the held-out item, ties in its favour and against it: shape [2, B], int64."""
    target = scores_BC[:, :1]
    negatives = without_nan(scores_BC[:, 1:])
    same = candidates_BC[:, 1:] == candidates_BC[:, :1]
    higher = ((negatives > target) & ~same).sum(dim=1)
    not_lower = ((negatives >= target) | same).sum(dim=1)
    last = negatives.shape[1]
    return torch.where(target[:, 0].isnan(), last, torch.stack([higher, not_lower]))
