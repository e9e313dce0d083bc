"""Ranking tasks: the users of one stage of a split, their histories and their held-out items.

Shape suffixes: B users of a batch, U users, I items.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recsys.data.histories import Histories
from recsys.data.interactions import IntArray, Interactions
from recsys.data.row_numbers import RowArray, blocks, count_each, rows_among
from recsys.data.split import Split, Stage
from recsys.data.user_items import UserItems
from recsys.evaluation.known_items import ONLY_NEW, KnownItems
from recsys.models.interface.protocols import Query


@dataclass(frozen=True, slots=True, eq=False)
class RankingTask:
    """One stage's users, their known histories and their held-out items, all on one device.

    Args:
        stage: ``valid`` or ``test``.
        users: users with at least one held-out item, ascending, int64. Others cannot be evaluated and are left out.
        histories: known histories of the U users of the vocabulary.
        seen: the known pairs that are not recommended again; negative ratings too, which may be in no history.
        targets: the held-out pairs that are to be found.
        training_item_counts: training users of each item, shape [I], int64; popularity is measured by these in both
            stages.
        training_user_counts: training items of each user, shape [U], int64.
        repeated: those of ``targets`` that are known; None where known pairs are not to be found.
        known_share: share of the held-out pairs that are known, whether or not they are to be found.
        sampled_from: users with held-out items of whom ``users`` are a random sample; None: they are all of them.
    """

    stage: Stage
    users: Tensor
    histories: Histories
    seen: UserItems
    targets: UserItems
    training_item_counts: Tensor
    training_user_counts: Tensor
    repeated: UserItems | None = None
    known_share: float = 0.0
    sampled_from: int | None = None

    @classmethod
    def from_split(
        cls,
        interactions: Interactions,
        split: Split,
        stage: Stage,
        device: torch.device | str = "cpu",
        positive: npt.NDArray[np.bool_] | None = None,
        rated_histories: bool = False,
        known_items: KnownItems = ONLY_NEW,
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
            known_items: which known items are left out of lists and of what is to be found.

        Raises:
            EvaluationError: ``known_items`` needs timestamps that the interactions do not have.
        """
        known_rows, target_rows = split.known(stage), split.targets(stage)
        known = interactions.take(known_rows)
        histories = known
        if positive is not None and not positive.all():
            target_rows = target_rows[positive[target_rows]]
            if not rated_histories:
                histories = interactions.take(known_rows[positive[known_rows]])
        held_out = interactions.take(target_rows)
        earlier = _earlier(interactions, rows_among(split.seen_before, target_rows, len(interactions)))
        everything = _pairs([known, earlier], device)
        again = _contained(everything, held_out)
        pairs, repeated = (UserItems.from_interactions(rows, device) for rows in (held_out, held_out.take(again)))
        targets = pairs
        if known_items.repeats == "drop" and len(repeated) > 0:
            targets = UserItems.from_interactions(held_out.take(~again), device)
        left_out = [known_items.left_out(rows, held_out) for rows in (known, earlier)]
        seen = everything
        if not all(marks.all() for marks in left_out):
            seen = _pairs([rows.take(marks) for rows, marks in zip((known, earlier), left_out, strict=True)], device)
        training = interactions.take(split.train)
        if len(everything) < len(known) + len(earlier):  # a user and an item count once
            training = training.take(np.unique(training.pairs, return_index=True)[1])

        def counts(name: str, size: int) -> Tensor:
            source = training.source_of(name)
            assert source is not None, "each interaction has a user and an item"
            return torch.from_numpy(count_each(source[0], size, source[1])).to(device)

        return cls(
            stage=stage,
            users=targets.counts.nonzero()[:, 0],
            histories=Histories.from_interactions(histories, device),
            seen=seen,
            targets=targets,
            training_item_counts=counts("item_index", interactions.num_items),
            training_user_counts=counts("user_index", interactions.num_users),
            repeated=repeated if known_items.repeats == "keep" else None,
            known_share=len(repeated) / max(len(pairs), 1),
        )

    def sampled(self, max_users: int | None, seed: int = 0) -> RankingTask:
        """The same task for a simple random sample of its users, without replacement.

        The sample depends on the users and the seed alone, not on the device or the model, so that models are compared
        on the same users.

        Args:
            max_users: users of the sample; None, or no fewer than there are: all of them.
            seed: of the draw.
        """
        num_users = len(self.users)
        if max_users is None or max_users >= num_users:
            return self
        drawn = torch.randperm(num_users, generator=torch.Generator().manual_seed(seed))[:max_users].sort().values
        return replace(self, users=self.users[drawn.to(self.users.device)], sampled_from=num_users)

    @property
    def num_items(self) -> int:
        """Size of the catalogue, I."""
        return self.targets.num_items

    def query(self, users: Tensor, lengths: IntArray | None = None) -> Query:
        """The query of ``users`` with their histories.

        Args:
            users: shape [B], int64.
            lengths: interactions of each, shape [B], where they are known on the host; see :meth:`Histories.take`.
        """
        return Query(users, self.histories.take(users, lengths))

    def mask_seen(self, scores: Tensor, users: Tensor, num_seen: int | None = None) -> None:
        """Set the scores of seen items to minus infinity, in place.

        An item that is both seen and to be found is masked as well: it would not be recommended.

        Args:
            scores: shape [B, I]; row ``b`` belongs to ``users[b]``.
            users: shape [B], int64.
            num_seen: seen items of all of them together, where that is known on the host; see
                :meth:`recsys.data.user_items.UserItems.pairs_of`.
        """
        rows, items = self.seen.pairs_of(users, num_seen)
        scores[rows, items] = float("-inf")

    def is_target(self, users: Tensor, items: Tensor) -> Tensor:
        """Whether each recommended item is held out.

        Args:
            users: shape [B], int64.
            items: shape [B, K], int64; -1 (no item) is never held out.

        Returns:
            Shape [B, K], bool.
        """
        return self.targets.contains(users[:, None], items.clamp(min=0)) & (items >= 0)


def _earlier(interactions: Interactions, rows: RowArray) -> Interactions:
    """The interactions that preparation merged into held-out ones at ``rows``: the first of each."""
    merged = interactions.take(rows)
    return merged if len(rows) == 0 else replace(merged, timestamp=merged.first_timestamp)


def _pairs(parts: list[Interactions], device: torch.device | str) -> UserItems:
    """The pairs of all ``parts`` together."""
    filled = [part for part in parts if len(part) > 0]
    if len(filled) == 1:
        return UserItems.from_interactions(filled[0], device)
    users, items = (
        torch.from_numpy(np.concatenate([getattr(part, name) for part in parts])).to(device)
        for name in ("user_index", "item_index")
    )
    return UserItems(users, items, parts[0].num_users, parts[0].num_items)


def _contained(pairs: UserItems, interactions: Interactions) -> npt.NDArray[np.bool_]:
    """Which interactions are of one of ``pairs``, shape [N]."""
    users, items = interactions.user_index, interactions.item_index
    found = np.empty(len(users), dtype=np.bool_)
    for rows in blocks(len(users)):
        # A copy: tensors take neither read-only arrays nor reversed views.
        asked, wanted = (torch.from_numpy(index[rows].astype(np.int64)).to(pairs.device) for index in (users, items))
        found[rows] = pairs.contains(asked, wanted).cpu().numpy()
    return found
