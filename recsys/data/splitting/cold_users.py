"""A cold-start split that holds out whole users, with fold-in interactions (strong generalisation)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from recsys.data.interactions import IntArray, Interactions
from recsys.data.split import Split
from recsys.data.splitting.checks import (
    require_integer,
    require_interactions,
    require_one_of,
    require_parts,
    require_ratio,
    require_room_for_training,
    require_seed,
    require_timestamps,
)
from recsys.data.splitting.parts import TEST, TEST_FOLD_IN, VALID, VALID_FOLD_IN, split_by_part
from recsys.data.splitting.shares import draw_held_out, share_of
from recsys.data.splitting.user_order import UserOrder
from recsys.errors import SplitError


@dataclass(frozen=True, slots=True)
class ColdUsers:
    """Hold out random users for test and others for validation; none of their interactions is in training.

    Some interactions of a held-out user are given for fold-in, as their known history; the others are the targets. The
    share of the targets, ``1 - given_ratio``, is rounded down but is at least one interaction. Users with too few
    interactions to have both (fewer than 2, or than ``num_given + 1``) are never held out; they stay in training.

    The setting of Liang et al., *Variational Autoencoders for Collaborative Filtering*, WWW 2018.

    Args:
        test_ratio: share of the users that can be held out for test, in (0, 1), rounded down but at least one.
        valid_ratio: the same share for validation, in [0, 1).
        given_ratio: share of a held-out user's interactions that is given, in (0, 1); None with ``num_given``.
        num_given: how many of a held-out user's interactions are given, at least 0; None with ``given_ratio``.
        order: ``"random"`` gives random interactions, ``"time"`` gives the oldest (of the same time, the earlier row).
        seed: seed of the draw, at least 0.

    Raises:
        SplitError: an argument is out of range, or both or neither of ``given_ratio`` and ``num_given`` are given.
    """

    test_ratio: float = 0.1
    valid_ratio: float = 0.1
    given_ratio: float | None = 0.8
    num_given: int | None = None
    order: Literal["random", "time"] = "random"
    seed: int = 0

    def __post_init__(self) -> None:
        require_ratio("test_ratio", self.test_ratio)
        require_ratio("valid_ratio", self.valid_ratio, zero_allowed=True)
        require_room_for_training(self.test_ratio, self.valid_ratio)
        require_one_of("given_ratio", self.given_ratio, "num_given", self.num_given)
        if self.given_ratio is not None:
            require_ratio("given_ratio", self.given_ratio)
        if self.num_given is not None:
            require_integer("num_given", self.num_given, 0)
        if self.order not in ("random", "time"):
            raise SplitError(f"order must be random or time; got {self.order!r}. Set split.order.")
        require_seed(self.seed)

    def split(self, interactions: Interactions) -> Split:
        """Divide ``interactions``; every row is in one part.

        Raises:
            SplitError: there are no interactions, no timestamps for ``order="time"``, or too few users with enough
                interactions.
        """
        require_interactions(interactions)
        generator = np.random.default_rng(self.seed)
        count = np.bincount(interactions.user_index, minlength=interactions.num_users)
        fewest = 2 if self.num_given is None else self.num_given + 1
        candidates = np.flatnonzero(count >= fewest)
        # Users are drawn first, so that they are the same for either order.
        user_part = draw_held_out(candidates, len(count), self.test_ratio, self.valid_ratio, generator)
        part = user_part[interactions.user_index]
        order = self._order(interactions, generator)
        is_given = order.from_end >= self._num_targets(order)[interactions.user_index]
        part[is_given & (part == TEST)] = TEST_FOLD_IN
        part[is_given & (part == VALID)] = VALID_FOLD_IN
        return require_parts(
            split_by_part(part),
            "ColdUsers",
            wants_valid=self.valid_ratio > 0,
            remedy=f"{len(candidates)} users have the {fewest} interactions that it takes to be held out: give more "
            "such users",
            no_valid="split.valid_ratio=0",
        )

    def _order(self, interactions: Interactions, generator: np.random.Generator) -> UserOrder:
        if self.order == "random":
            return UserOrder.at_random(interactions, generator)
        require_timestamps(interactions, "ColdUsers with order=time", "split.order=random")
        return UserOrder.by_time(interactions)

    def _num_targets(self, order: UserOrder) -> IntArray:
        """Number of targets that each user would have if held out, shape [U]."""
        if self.num_given is not None:
            return order.count - self.num_given
        assert self.given_ratio is not None, "the constructor lets one of the two through"
        return share_of(1 - self.given_ratio, order.count)
