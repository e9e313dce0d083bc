"""Ranks the full catalogue for a batch of users.

Shape suffixes: B users of a batch, I items, K list length.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from recsys.errors import ModelError
from recsys.evaluation.ranking_task import RankingTask
from recsys.evaluation.screening import exact_scores_of_top_candidates
from recsys.evaluation.top_k import top_k, without_nan
from recsys.models.interface.protocols import ScoringModel


@dataclass(frozen=True, slots=True, eq=False)
class RankedBatch:
    """Lists of recommendations and how they did.

    Args:
        items: recommended items, best first, -1 where there is none, shape [B, K], int64.
        hits: whether each is held out for the user, shape [B, K], bool.
        num_relevant: held-out items of each user, shape [B], int64.
    """

    items: Tensor
    hits: Tensor
    num_relevant: Tensor


@torch.inference_mode()
def rank_users(model: ScoringModel, task: RankingTask, users: Tensor, k: int) -> RankedBatch:
    """Rank the full catalogue for a batch of users, without the items that they are known to have.

    The model's scores are not changed. Ties go to the lower item index; items without opinion (NaN) are never
    recommended; a list may therefore be shorter than ``k`` and is then filled up with misses.

    Args:
        model: scores the catalogue, on the device of ``task``.
        task: who knows what, and what is held out.
        users: shape [B], int64.
        k: list length; may exceed the catalogue.

    Raises:
        ModelError: the scores are not one floating-point number for each user and item.
        EvaluationError: ``k`` is below 1.
    """
    items, _ = top_k(scores_of_unseen(model, task, users, k), k)
    return RankedBatch(items, task.is_target(users, items), task.targets.counts[users])


@torch.inference_mode()
def scores_of_unseen(
    model: ScoringModel, task: RankingTask, users: Tensor, k: int | None = None, always: Tensor | None = None
) -> Tensor:
    """Scores of the full catalogue, shape [B, I]: minus infinity for known items and where there is no opinion.

    Args:
        model: see :func:`rank_users`, also for the errors.
        task: see there.
        users: shape [B], int64.
        k: None for the scores of all items. Else items that are not among the ``k`` best of a user may have minus
            infinity too, which saves some models much time.
        always: items that keep their scores in any case, int64.
    """
    screened = None if k is None else exact_scores_of_top_candidates(model, task, users, k, always)
    if screened is not None:
        return screened
    scores = model.score(task.query(users))
    if scores.shape != (len(users), task.num_items) or not scores.is_floating_point():
        raise ModelError(
            f"a model must return floating-point scores of shape [users, items] = [{len(users)}, {task.num_items}]; "
            f"{type(model).__name__} returned {scores.dtype} of shape {list(scores.shape)}: "
            "use a model of the same catalogue"
        )
    scores = without_nan(scores)  # also a copy: what a model returns may be a view of what it keeps
    task.mask_seen(scores, users)
    return scores
