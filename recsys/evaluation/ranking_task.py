"""Ranking tasks: the users of one stage of a split, their histories and their held-out items.

Shape suffixes: B users of a batch, U users, I items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.data.split import Split, Stage
from recsys.data.user_items import UserItems
from recsys.models.interface.protocols import Query


@dataclass(frozen=True, slots=True, eq=False)
class RankingTask:
    """One stage's users, their known histories and their held-out items, all on one device.

    Args:
        stage: ``valid`` or ``test``.
        users: users with at least one held-out item, ascending, int64. Others cannot be evaluated and are left out.
        histories: known histories of the U users of the vocabulary.
        seen: the known pairs, which are not recommended again; negative ratings too, which may be in no history.
        targets: the held-out pairs.
        training_item_counts: training interactions of each item, shape [I], int64; popularity is measured by these
            in both stages.
        training_user_counts: training interactions of each user, shape [U], int64.
    """

    stage: Stage
    users: Tensor
    histories: Histories
    seen: UserItems
    targets: UserItems
    training_item_counts: Tensor
    training_user_counts: Tensor

    @classmethod
    def from_split(
        cls,
        interactions: Interactions,
        split: Split,
        stage: Stage,
        device: torch.device | str = "cpu",
        positive: npt.NDArray[np.bool_] | None = None,
        rated_histories: bool = False,
    ) -> RankingTask:
        """The task of ``stage``.

        Users, held-out items and seen items do not depend on ``rated_histories``, so that models of ratings and models
        of implicit feedback can be compared.

        Args:
            interactions: the interactions that ``split`` divides.
            split: rows of training, validation and test.
            stage: ``valid`` (training is known) or ``test`` (training and validation are known).
            device: device of the task, which must be that of the model.
            positive: whether each interaction is positive, shape [N], bool; only positives are held-out items, but
                every known item counts as seen. None: all are positive.
            rated_histories: whether histories have all known interactions with their ratings; otherwise they have
                the positives only.
        """
        known_rows, target_rows = split.known(stage), split.targets(stage)
        known = seen = interactions.take(known_rows)
        if positive is not None:
            target_rows = target_rows[positive[target_rows]]
            if not rated_histories:
                known = interactions.take(known_rows[positive[known_rows]])
        targets = UserItems.from_interactions(interactions.take(target_rows), device)

        def counts(index: np.ndarray[tuple[int], np.dtype[np.int32]], size: int) -> Tensor:
            return torch.from_numpy(np.bincount(index[split.train], minlength=size)).to(device)

        return cls(
            stage=stage,
            users=targets.counts.nonzero()[:, 0],
            histories=Histories.from_interactions(known, device),
            seen=UserItems.from_interactions(seen, device),
            targets=targets,
            training_item_counts=counts(interactions.item_index, interactions.num_items),
            training_user_counts=counts(interactions.user_index, interactions.num_users),
        )

    @property
    def num_items(self) -> int:
        """Size of the catalogue, I."""
        return self.targets.num_items

    def query(self, users: Tensor) -> Query:
        """The query of ``users`` (shape [B], int64) with their histories."""
        return Query(users, self.histories.take(users))

    def mask_seen(self, scores: Tensor, users: Tensor) -> None:
        """Set the scores of known items to minus infinity, in place.

        An item that is both known and held out keeps its score: a user may interact with an item again.

        Args:
            scores: shape [B, I]; row ``b`` belongs to ``users[b]``.
            users: shape [B], int64.
        """
        target_rows, target_items = self.targets.pairs_of(users)
        kept = scores[target_rows, target_items]
        seen_rows, seen_items = self.seen.pairs_of(users)
        scores[seen_rows, seen_items] = float("-inf")
        scores[target_rows, target_items] = kept

    def is_target(self, users: Tensor, items: Tensor) -> Tensor:
        """Whether each recommended item is held out.

        Args:
            users: shape [B], int64.
            items: shape [B, K], int64; -1 (no item) is never held out.

        Returns:
            Shape [B, K], bool.
        """
        return self.targets.contains(users[:, None], items.clamp(min=0)) & (items >= 0)
