"""Ranks the full catalogue for a batch of users. The host waits for the device once a batch at most.

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
from recsys.evaluation.user_batches import UserBatch
from recsys.models.interface.protocols import ScoringModel


@dataclass(frozen=True, slots=True, eq=False)
class RankedBatch:
    """Top-k lists of a batch of users, with their hits.

    Args:
        items: recommended items, best first, shape [B, K], int64; -1 means no item.
        hits: whether each item is held out for the user, shape [B, K], bool.
        num_relevant: number of held-out items of each user, shape [B], int64.
    """

    items: Tensor
    hits: Tensor
    num_relevant: Tensor


@torch.inference_mode()
def rank_users(model: ScoringModel, task: RankingTask, users: Tensor | UserBatch, k: int) -> RankedBatch:
    """Rank the full catalogue for a batch of users, without their seen items.

    The scores of the model are not modified. Ties go to the lower item index. Unscored items (NaN) are never
    recommended, so a list may be shorter than ``k``; it is then padded with misses.

    Args:
        model: scores the catalogue, on the device of ``task``.
        task: the histories, the seen items and the held-out items.
        users: shape [B], int64; or a batch of :class:`recsys.evaluation.user_batches.UserBatches`, for which a GPU is
            waited for less.
        k: list length; may exceed the catalogue.

    Raises:
        ModelError: the scores are not one floating-point number for each user and item.
        EvaluationError: ``k`` is below 1.
    """
    batch = users if isinstance(users, UserBatch) else UserBatch(users)
    items, _ = top_k(scores_of_unseen(model, task, batch, k), k, has_nan=False)
    return RankedBatch(items, task.is_target(batch.users, items), task.targets.counts[batch.users])


@torch.inference_mode()
def scores_of_unseen(
    model: ScoringModel, task: RankingTask, batch: UserBatch, k: int | None = None, always: Tensor | None = None
) -> Tensor:
    """Scores of the full catalogue, shape [B, I], without NaN: minus infinity for seen and for unscored items.

    Args:
        model: as in :func:`rank_users`, which has the same errors.
        task: as in :func:`rank_users`.
        batch: B users.
        k: None for the scores of all items. Otherwise items outside the top ``k`` of a user may have minus infinity
            too, which makes some models much faster.
        always: items that keep their scores in any case, int64.
    """
    screened = None if k is None else exact_scores_of_top_candidates(model, task, batch, k, always)
    if screened is not None:
        return screened
    scores = model.score(task.query(batch.users, batch.history_lengths))
    if scores.shape != (len(batch), task.num_items) or not scores.is_floating_point():
        raise ModelError(
            f"a model must return floating-point scores of shape [users, items] = [{len(batch)}, {task.num_items}]; "
            f"{type(model).__name__} returned {scores.dtype} of shape {list(scores.shape)}: "
            "use a model of the same catalogue"
        )
    scores = without_nan(scores)  # also a copy: what a model returns may be a view of what it keeps
    task.mask_seen(scores, batch.users, batch.num_seen)
    return scores
