"""Random split by ratio: a random share of the interactions is held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.data.splitting.checks import (
    require_interactions,
    require_parts,
    require_ratio,
    require_room_for_training,
    require_seed,
)
from recsys.data.splitting.parts import TEST, VALID, split_by_part
from recsys.data.splitting.shares import ROUNDINGS, Rounding, share_of
from recsys.data.splitting.user_order import UserOrder
from recsys.errors import SplitError


@dataclass(frozen=True, slots=True)
class RandomRatio:
    """Hold out a random share of the interactions, of each user or of all of them together.

    Both ratios are shares of *all* interactions (of the user, or of the list): test 0.1 and validation 0.1 is 8:1:1.
    A share is at least one interaction, whichever way it is rounded. Each user keeps at least one interaction for
    training; where that leaves too few, test is served first.

    Args:
        test_ratio: share for test, in (0, 1).
        valid_ratio: share for validation, in [0, 1).
        seed: seed of the draw, at least 0.
        by: ``"user"`` takes the shares of each user's interactions; ``"all"`` takes them of the whole list: one random
            interaction of each user is kept for training, and the rest is drawn from uniformly.
        rounding: rounding of both shares: ``"nearest"``, which comes closest to the ratio over all users; ``"up"``, as
            scikit-learn rounds the size of a test set; ``"down"``, as RecBole does.

    Raises:
        SplitError: an argument is out of range.
    """

    test_ratio: float = 0.2
    valid_ratio: float = 0.1
    seed: int = 0
    by: Literal["user", "all"] = "user"
    rounding: Rounding = "nearest"

    def __post_init__(self) -> None:
        require_ratio("test_ratio", self.test_ratio)
        require_ratio("valid_ratio", self.valid_ratio, zero_allowed=True)
        require_room_for_training(self.test_ratio, self.valid_ratio)
        require_seed(self.seed)
        if self.by not in ("user", "all"):
            raise SplitError(f"by must be user or all; got {self.by!r}. Set split.by.")
        if self.rounding not in ROUNDINGS:
            raise SplitError(f"rounding must be nearest, up or down; got {self.rounding!r}. Set split.rounding.")

    def split(self, interactions: Interactions) -> Split:
        """Divide ``interactions``; every row is in one part.

        Raises:
            SplitError: there are no interactions, or no user has enough.
        """
        require_interactions(interactions)
        generator = np.random.default_rng(self.seed)
        split = self._by_user(interactions, generator) if self.by == "user" else self._of_all(interactions, generator)
        return require_parts(
            split,
            "RandomRatio",
            wants_valid=self.valid_ratio > 0,
            remedy="Give users with more interactions",
            no_valid="split.valid_ratio=0",
        )

    def _by_user(self, interactions: Interactions, generator: np.random.Generator) -> Split:
        order = UserOrder.at_random(interactions, generator)
        return order.hold_out_last(
            share_of(self.test_ratio, order.count, self.rounding),
            share_of(self.valid_ratio, order.count, self.rounding),
        )

    def _of_all(self, interactions: Interactions, generator: np.random.Generator) -> Split:
        order = UserOrder.at_random(interactions, generator)
        free = generator.permutation(np.flatnonzero(order.from_end > 0))
        num_test = int(share_of(self.test_ratio, len(interactions), self.rounding))
        num_valid = int(share_of(self.valid_ratio, len(interactions), self.rounding))
        part = np.zeros(len(interactions), dtype=np.int8)
        part[free[:num_test]] = TEST
        part[free[num_test : num_test + num_valid]] = VALID
        return split_by_part(part)
