"""A cold-start split that holds out whole items."""

from __future__ import annotations

from dataclasses import dataclass

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
from recsys.data.splitting.parts import split_by_part
from recsys.data.splitting.shares import draw_held_out


@dataclass(frozen=True, slots=True)
class ColdItems:
    """Hold out random items: all their interactions are test or validation, none is in training.

    Items are drawn uniformly among those with an interaction. Users whose interactions are all with held-out items have
    no training interaction; they are kept, and are cold too.

    Args:
        test_ratio: share of the items for test, in (0, 1), rounded down but at least one.
        valid_ratio: share of the items for validation, in [0, 1), rounded down but at least one.
        seed: seed of the draw, at least 0.

    Raises:
        SplitError: an argument is out of range.
    """

    test_ratio: float = 0.1
    valid_ratio: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        require_ratio("test_ratio", self.test_ratio)
        require_ratio("valid_ratio", self.valid_ratio, zero_allowed=True)
        require_room_for_training(self.test_ratio, self.valid_ratio)
        require_seed(self.seed)

    def split(self, interactions: Interactions) -> Split:
        """Divide ``interactions``; every row is in one part.

        Raises:
            SplitError: there are no interactions, or too few items.
        """
        require_interactions(interactions)
        candidates = np.flatnonzero(np.bincount(interactions.item_index, minlength=interactions.num_items))
        item_part = draw_held_out(
            candidates,
            interactions.num_items,
            self.test_ratio,
            self.valid_ratio,
            np.random.default_rng(self.seed),
        )
        return require_parts(
            split_by_part(item_part[interactions.item_index]),
            "ColdItems",
            wants_valid=self.valid_ratio > 0,
            remedy=f"{len(candidates)} items have interactions: give more items",
            no_valid="split.valid_ratio=0",
        )
