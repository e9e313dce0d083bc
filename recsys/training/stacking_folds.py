"""Which interactions are kept from the sources of a ranker, to be its labels.

Shape suffixes: N interactions, U users.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recsys.data.interactions import IntArray, Interactions
from recsys.data.splitting.checks import require_timestamps
from recsys.data.splitting.user_order import UserOrder
from recsys.errors import SettingsError

#: Divides training interactions into what sources learn from and what the ranker learns to find: from the interactions
#: to the positions of the rows that are held out, int64, for each fold that is used.
Folds = Callable[[Interactions], list[IntArray]]


@dataclass(frozen=True, slots=True)
class RandomFolds:
    """Each user's interactions in ``num_folds`` random folds of like size, of which the first ``num_used`` are used.

    A user with fewer interactions than folds has one in some of the folds, drawn at random; a user with a single
    interaction keeps it. A ranker has few parameters, and sources have to be fitted once for each fold, so that one or
    two folds will do.

    Args:
        num_folds: at least 2.
        num_used: from 1 to ``num_folds``.
        seed: of the draw.

    Raises:
        SettingsError: an argument is out of range.
    """

    num_folds: int = 10
    num_used: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.num_folds < 2 or not 1 <= self.num_used <= self.num_folds:
            raise SettingsError(
                "stacking_folds.num_folds must be at least 2, and stacking_folds.num_used from 1 to as many, but they "
                f"are {self.num_folds} and {self.num_used}. Correct them."
            )

    def __call__(self, interactions: Interactions) -> list[IntArray]:
        """See :data:`Folds`."""
        generator = np.random.default_rng(self.seed)
        order = UserOrder.at_random(interactions, generator)
        start = generator.integers(self.num_folds, size=interactions.num_users)
        fold = (order.from_end + start[order.user]) % self.num_folds
        divided = order.count[order.user] > 1
        return [np.flatnonzero((fold == used) & divided) for used in range(self.num_used)]


@dataclass(frozen=True, slots=True)
class LastItems:
    """The last ``num_items`` interactions of each user, where what comes next is to be predicted.

    Users keep at least one interaction.

    Args:
        num_items: at least 1.

    Raises:
        SettingsError: ``num_items`` is below 1.
    """

    num_items: int = 1

    def __post_init__(self) -> None:
        if self.num_items < 1:
            raise SettingsError(f"stacking_folds.num_items must be at least 1, but it is {self.num_items}. Correct it.")

    def __call__(self, interactions: Interactions) -> list[IntArray]:
        """See :data:`Folds`.

        Raises:
            SplitError: there are no timestamps.
        """
        require_timestamps(interactions, "LastItems", "stacking_folds=random")
        return [UserOrder.by_time(interactions).hold_out_last(self.num_items, 0).test]
