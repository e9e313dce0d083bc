"""Leave-random-out: random interactions of each user are held out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.data.splitting.checks import (
    require_integer,
    require_interactions,
    require_parts,
    require_seed,
)
from recsys.data.splitting.user_order import UserOrder


@dataclass(frozen=True, slots=True)
class LeaveRandomOut:
    """Hold out ``num_test`` random interactions of each user for test, and ``num_valid`` others for validation.

    Each user keeps at least one interaction for training, and test comes before validation: with the defaults, a user
    with one interaction is in training only, one with two has no validation interaction.

    Args:
        num_test: interactions of each user for test, at least 1.
        num_valid: interactions of each user for validation, at least 0.
        seed: seed of the draw, at least 0.

    Raises:
        SplitError: an argument is out of range.
    """

    num_test: int = 1
    num_valid: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        require_integer("num_test", self.num_test, 1)
        require_integer("num_valid", self.num_valid, 0)
        require_seed(self.seed)

    def split(self, interactions: Interactions) -> Split:
        """Divide ``interactions``; every row is in one part.

        Raises:
            SplitError: there are no interactions, or no user has enough.
        """
        require_interactions(interactions)
        order = UserOrder.at_random(interactions, np.random.default_rng(self.seed))
        return require_parts(
            order.hold_out_last(self.num_test, self.num_valid),
            "LeaveRandomOut",
            wants_valid=self.num_valid > 0,
            remedy="Give users with more interactions",
            no_valid="split.num_valid=0",
        )
