"""How new users are asked for: by their histories alone, with a number of interactions given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.data.splitting.user_order import UserOrder
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.interface.protocols import FoldsIn, Query


class FoldInOnly(nn.Module):
    """Scores each user as one whom the model has never seen.

    A held-out user is in the vocabulary, so that a model may have a place for them that was never trained. This asks
    for the history and nothing else.

    Args:
        model: a model that folds in.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        assert isinstance(model, FoldsIn), "callers ask for the protocol first"
        self.model = model

    def score(self, query: Query) -> Tensor:
        """Scores from the histories of ``query``, shape [B, I]; NaN for an empty one."""
        scores: Tensor = self.model.score_histories(query.histories)
        return scores


def fold_in_task(
    interactions: Interactions,
    split: Split,
    num_given: int,
    order: str = "random",
    seed: int = 0,
    device: torch.device | str = "cpu",
    positive: npt.NDArray[np.bool_] | None = None,
    rated_histories: bool = False,
) -> RankingTask:
    """The test of the held-out users of ``split``, of whom only a part of what is given is told.

    Users, targets and candidates do not depend on ``num_given``, so that numbers for several of them can be compared:
    what is given but not told is in no history, and is not recommended either. A larger number tells all that a smaller
    one tells.

    Args:
        interactions: what ``split`` divides.
        split: a split with held-out users.
        num_given: interactions of each held-out user that are told, at least 0; all that are given where it is larger.
        order: ``random`` tells random ones, ``time`` the oldest.
        seed: of the random order.
        device: where the task lives.
        positive: as for :meth:`recsys.evaluation.ranking_task.RankingTask.from_split`.
        rated_histories: likewise.
    """
    given = interactions.take(split.test_fold_in)
    if order == "time":
        assert given.timestamp is not None, "the split has ordered by them"
        places = UserOrder.by_time(given, given.timestamp)
        told = places.from_end >= places.count[given.user_index] - num_given
    else:
        told = UserOrder.at_random(given, np.random.default_rng(seed)).from_end < num_given
    whole = RankingTask.from_split(interactions, split, "test", device, positive, rated_histories)
    part = replace(split, test_fold_in=split.test_fold_in[told])
    task = RankingTask.from_split(interactions, part, "test", device, positive, rated_histories)
    is_new = torch.zeros(interactions.num_users, dtype=torch.bool)
    is_new[torch.from_numpy(given.user_index).long()] = True
    users = whole.users[is_new.to(whole.users.device)[whole.users]]
    return replace(task, users=users, seen=whole.seen)
