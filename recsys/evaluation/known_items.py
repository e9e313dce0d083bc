"""What an evaluation does with items that a user is known to have: in lists, and among what is to be found.

Shape suffixes: U users, N interactions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from recsys.data.interactions import IntArray, Interactions
from recsys.errors import EvaluationError
from recsys.retrieval.seen_policy import SECONDS_PER_DAY, SeenPolicy

KnownTargets = Literal["drop", "keep"]


@dataclass(frozen=True, slots=True)
class KnownItems:
    """Whether known items are recommended, and whether they are to be found.

    To measure "buy again", known items are both: ``exclude_seen=False`` and ``repeats="keep"``. With ``repeats="keep"``
    alone what is left out of lists cannot be found, and counts as missed: the price of leaving it out.

    Args:
        exclude_seen: which known items are left out of the lists. Items that come back after some days do so by the
            time of the user's first held-out interaction.
        repeats: ``drop`` takes held-out pairs that are known already out of what is to be found, ``keep`` leaves them
            in.

    Raises:
        EvaluationError: there is no such ``repeats``.
    """

    exclude_seen: SeenPolicy = SeenPolicy()
    repeats: KnownTargets = "drop"

    def __post_init__(self) -> None:
        if self.repeats not in get_args(KnownTargets):
            raise EvaluationError(
                f"evaluation.repeats must be {' or '.join(get_args(KnownTargets))}, but it is {self.repeats!r}: "
                "correct it"
            )

    def left_out(self, known: Interactions, targets: Interactions) -> npt.NDArray[np.bool_]:
        """Which known interactions leave their item out of the lists.

        Args:
            known: N interactions that are known.
            targets: what is held out, which tells when each user is recommended to.

        Returns:
            Shape [N]; an item is left out if any of its interactions is marked.

        Raises:
            EvaluationError: items come back after some days, but there are no timestamps.
        """
        days = self.exclude_seen.after_days
        if days is None:
            return np.full(len(known), self.exclude_seen.excludes)
        if known.timestamp is None or targets.timestamp is None:
            raise EvaluationError(
                f"exclude_seen={self.exclude_seen} needs the times of interactions, but these data have none: give a "
                "timestamp column, or set exclude_seen to true or false"
            )
        return known.timestamp > _first_times(targets, targets.timestamp)[known.user_index] - days * SECONDS_PER_DAY


#: Known items are neither recommended nor to be found.
ONLY_NEW = KnownItems()


def _first_times(targets: Interactions, timestamp: IntArray) -> npt.NDArray[np.float64]:
    """The time of each user's first interaction, shape [U], float64; infinite for users without one."""
    first = np.full(targets.num_users, np.inf)
    np.minimum.at(first, targets.user_index, timestamp)
    return first
