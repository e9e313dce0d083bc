"""Ranking tasks for new users, who are scored from a limited number of fold-in interactions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.data.splitting.user_order import UserOrder
from recsys.evaluation.known_items import ONLY_NEW, KnownItems
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.interface.protocols import FoldsIn, Query


class FoldInOnly(nn.Module):
    """Scores each user by fold-in from the history alone, as a user whom the model has never seen.

    A held-out user is in the vocabulary, so a model may have an untrained embedding for them. This wrapper ignores it.

    Args:
        model: a model that folds in.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        assert isinstance(model, FoldsIn), "callers check the protocol first"
        self.model = model

    def score(self, query: Query) -> Tensor:
        """Scores from the histories of ``query``, shape [B, I]; NaN for an empty one."""
        scores: Tensor = self.model.score_histories(query.histories)
        return scores


def fold_in_task(
    interactions: Interactions,
    split: Split,
    num_fold_in: int,
    order: str = "random",
    seed: int = 0,
    device: torch.device | str = "cpu",
    positive: npt.NDArray[np.bool_] | None = None,
    rated_histories: bool = False,
    known_items: KnownItems = ONLY_NEW,
) -> RankingTask:
    """The test of the held-out users of ``split``, with histories of ``num_fold_in`` of their fold-in interactions.

    Users, held-out items and candidates do not depend on ``num_fold_in``, so that results for several numbers can be
    compared: fold-in interactions that are left out of the history are not recommended either. A larger number
    includes the interactions of a smaller one.

    Args:
        interactions: the interactions that ``split`` divides.
        split: a split with held-out users.
        num_fold_in: fold-in interactions in the history of each held-out user, at least 0; all of them if there are
            fewer.
        order: ``random`` takes random interactions, ``time`` the oldest.
        seed: seed of the random order.
        device: device of the task.
        positive: as for :meth:`recsys.evaluation.ranking_task.RankingTask.from_split`.
        rated_histories: as for the same method.
        known_items: as for the same method.
    """
    fold_in = interactions.take(split.test_fold_in)
    if order == "time":
        assert fold_in.timestamp is not None, "the split has used them already"
        places = UserOrder.by_time(fold_in)
        kept = places.from_end >= places.count[fold_in.user_index] - num_fold_in
    else:
        kept = UserOrder.at_random(fold_in, np.random.default_rng(seed)).from_end < num_fold_in
    whole = RankingTask.from_split(interactions, split, "test", device, positive, rated_histories, known_items)
    part = replace(split, test_fold_in=split.test_fold_in[kept])
    task = RankingTask.from_split(interactions, part, "test", device, positive, rated_histories, known_items)
    is_new = torch.zeros(interactions.num_users, dtype=torch.bool)
    is_new[torch.from_numpy(fold_in.user_index).long()] = True
    users = whole.users[is_new.to(whole.users.device)[whole.users]]
    return replace(whole, users=users, histories=task.histories)
