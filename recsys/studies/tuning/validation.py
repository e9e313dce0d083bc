"""Data that settings are chosen on: training and validation rows, without the test rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from recsys.data.feedback_view import FeedbackView
from recsys.data.histories import Histories
from recsys.data.split import Split
from recsys.data.splitting.leave_random_out import LeaveRandomOut
from recsys.data.user_items import UserItems


@dataclass(frozen=True, slots=True, eq=False)
class SampledPairs:
    """Held-out interactions, each with sampled negatives.

    Args:
        users: shape [n], int64.
        targets: the held-out item of each row, shape [n], int64.
        negatives: items that the user has no known interaction with, shape [n, N], int64.
        histories: known histories of all users.
    """

    users: Tensor
    targets: Tensor
    negatives: Tensor
    histories: Histories


def without_test(view: FeedbackView, split: Split) -> tuple[FeedbackView, Split]:
    """Remove the test rows from the interactions; training and validation stay the same.

    Args:
        view: the interactions that ``split`` divides.
        split: the split; its test part may already be empty.

    Returns:
        The remaining interactions in their order, and their split.
    """
    kept = np.sort(np.concatenate([split.train, split.valid_fold_in, split.valid]))
    parts = {name: np.searchsorted(kept, getattr(split, name)) for name in ("train", "valid", "valid_fold_in")}
    none = np.empty(0, dtype=np.int64)
    remaining = replace(view, interactions=view.interactions.take(kept), positive=view.positive[kept])
    seen_before = np.searchsorted(kept, np.intersect1d(split.seen_before, split.valid))
    return remaining, Split(**parts, test=none, seen_before=seen_before)


def among_sampled_negatives(
    view: FeedbackView, split: Split, num_negatives: int = 99, seed: int = 0
) -> tuple[FeedbackView, Split, SampledPairs]:
    """Hold out one random training interaction of each user, to be ranked among sampled negatives.

    This is validation for the protocol of He et al. (Neural Collaborative Filtering, 2017), which tests on one item of
    each user and has no validation part. Users with a single interaction keep it for training.

    Args:
        view: the interactions that ``split`` divides.
        split: interactions are drawn from its training and validation parts; its test part is not used.
        num_negatives: negatives of each user, drawn with replacement: of 99 draws among some thousand items hardly
            any are repeated.
        seed: seed of the held-out interactions and of the negatives.

    Returns:
        The interactions without the test rows, their split into training and an empty validation part, and the pairs
        to rank.
    """
    known, _ = without_test(view, split)
    known = replace(known, interactions=replace(known.interactions, fold=None))
    drawn = LeaveRandomOut(num_test=1, num_valid=0, seed=seed).split(known.interactions)
    held_out = known.interactions.take(drawn.test)
    users = torch.from_numpy(held_out.user_index).long()
    negatives = UserItems.from_interactions(known.interactions).sample_absent(
        users, num_negatives, torch.Generator().manual_seed(seed)
    )
    histories = Histories.from_interactions(known.interactions.take(drawn.train))
    pairs = SampledPairs(users, torch.from_numpy(held_out.item_index).long(), negatives, histories)
    none = np.empty(0, dtype=np.int64)
    return known, Split(train=drawn.train, valid=none, test=none), pairs
