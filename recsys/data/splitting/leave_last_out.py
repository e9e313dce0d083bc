"""Leave-last-out: each user's last interactions are held out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.data.splitting.checks import (
    require_integer,
    require_interactions,
    require_parts,
    require_timestamps,
)
from recsys.data.splitting.seen_before import seen_before_by_user
from recsys.data.splitting.user_order import UserOrder


@dataclass(frozen=True, slots=True)
class LeaveLastOut:
    """Hold out the last ``num_test`` interactions of each user for test, the ``num_valid`` before them for validation.

    Of interactions at the same time, the later row is the later one. Each user keeps at least one interaction for
    training, and test comes before validation: with the defaults, a user with one interaction is in training only,
    one with two has no validation interaction.

    A held-out interaction that stands for repeated ones, which preparation left out, is noted in ``seen_before`` where
    the first of them is older than what is held out of the user.

    The setting of He et al., *Neural Collaborative Filtering*, WWW 2017.

    Args:
        num_test: interactions of each user for test, at least 1.
        num_valid: interactions of each user for validation, at least 0.

    Raises:
        SplitError: an argument is out of range.
    """

    num_test: int = 1
    num_valid: int = 1

    def __post_init__(self) -> None:
        require_integer("num_test", self.num_test, 1)
        require_integer("num_valid", self.num_valid, 0)

    def split(self, interactions: Interactions) -> Split:
        """Divide ``interactions``; every row is in one part.

        Raises:
            SplitError: there are no interactions or timestamps, or no user has enough interactions.
        """
        require_interactions(interactions)
        require_timestamps(interactions, "LeaveLastOut", "split=leave_random_out")
        split = UserOrder.by_time(interactions).hold_out_last(self.num_test, self.num_valid)
        return require_parts(
            replace(split, seen_before=seen_before_by_user(interactions, split)),
            "LeaveLastOut",
            wants_valid=self.num_valid > 0,
            remedy="Give users with more interactions",
            no_valid="split.num_valid=0",
        )
