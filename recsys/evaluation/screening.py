"""Exact scores of only those items that may be among the top k.

Shape suffixes: B users of a batch, I items, K list length.
"""

from __future__ import annotations

import torch
from torch import Tensor

from recsys.evaluation.ranking_task import RankingTask
from recsys.evaluation.user_batches import UserBatch
from recsys.models.interface.protocols import ScoresPairs

#: Exact scores of single pairs are slower than those of whole rows: screening pays if at most one in this many is
#: needed.
_PAIRS_PER_EXACT_SCORE = 8


def exact_scores_of_top_candidates(
    model: object, task: RankingTask, batch: UserBatch, k: int, always: Tensor | None = None
) -> Tensor | None:
    """Exact scores of the items that may be among the ``k`` best unseen items of their user.

    The K-th highest approximate score minus the error is a floor that K exact scores reach. Every item that may reach
    it is scored exactly, so that lists and ties are those of a ranking by exact scores of all items.

    Args:
        model: any; screened is one with ``approximate_catalogue`` (see :mod:`recsys.models.interface.protocols`).
        task: gives the seen items.
        batch: B users.
        k: list length.
        always: items that are scored for every user in any case, int64; None for none.

    Returns:
        Shape [B, I], minus infinity for all other items; None if the model cannot be screened, or if it would not pay.
    """
    needed = k + (0 if always is None else len(always))
    approximate_catalogue = getattr(model, "approximate_catalogue", None)
    if approximate_catalogue is None or k < 1 or needed * _PAIRS_PER_EXACT_SCORE > task.num_items:
        return None
    assert isinstance(model, ScoresPairs), "what is rough for the catalogue is exact for pairs"
    approximate = approximate_catalogue(batch.users)
    if approximate is None:
        return None
    scores, error = approximate
    if not bool(error.isfinite().all()):
        return None
    task.mask_seen(scores, batch.users, batch.num_seen)
    # A user who has seen nearly all items has fewer than K unseen ones: then the floor is minus infinity.
    floor = scores.topk(k, dim=1).values[:, -1:] - error
    in_doubt = scores >= floor - error
    if always is not None:
        in_doubt[:, always] = True
    rows, items = (in_doubt & (scores > float("-inf"))).nonzero(as_tuple=True)
    if len(rows) * _PAIRS_PER_EXACT_SCORE > scores.numel():
        return None
    exact = torch.full_like(scores, float("-inf"))
    exact[rows, items] = torch.nan_to_num(model.score_pairs(batch.users[rows], items), nan=float("-inf"))
    return exact
