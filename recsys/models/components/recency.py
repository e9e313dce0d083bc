"""How much less an older interaction counts.

Shape suffixes: M interactions of all histories together.
"""

from __future__ import annotations

import torch
from torch import Tensor

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.errors import ModelError

SECONDS_PER_DAY = 86_400


class Recency:
    """Weights of the interactions of a history: ``step_decay ** steps * day_decay ** days``.

    An interaction's age is counted from the newest one of the same history: in steps (how many came after it) and in
    days. Counting from now instead would multiply all weights of a user by one number, which changes no ranking of a
    model that is linear in the history.

    Args:
        step_decay: factor for each later interaction, in (0, 1]; 1 for none. Interactions of the same time are
            ordered as they stand in the data.
        day_decay: factor for each day of age, in (0, 1]; 1 for none.

    Raises:
        ModelError: a factor is out of range.
    """

    def __init__(self, step_decay: float = 1.0, day_decay: float = 1.0) -> None:
        if not (0 < step_decay <= 1 and 0 < day_decay <= 1):
            raise ModelError(
                f"Recency factors must be above 0 and at most 1, but step_decay is {step_decay} and day_decay "
                f"{day_decay}. 1 leaves age out."
            )
        self.step_decay = step_decay
        self.day_decay = day_decay

    @property
    def is_used(self) -> bool:
        """Whether age counts at all."""
        return self.step_decay < 1 or self.day_decay < 1

    def check(self, interactions: Interactions) -> None:
        """Refuse data whose interactions have no order in time.

        Raises:
            ModelError: age counts, but there are no timestamps.
        """
        if self.is_used and interactions.timestamp is None:
            raise ModelError(
                "Recency weights need interactions with timestamps, but these data have none. "
                "Set model.recency.step_decay=1 and model.recency.day_decay=1, or give a timestamp column."
            )

    def weights(self, histories: Histories) -> Tensor | None:
        """The weight of each interaction, shape [M], float32, 1 for the newest of a row; None where age has no part.

        Histories without timestamps are taken to be oldest first, all of one day.
        """
        if not self.is_used:
            return None
        counts = histories.counts
        # For histories that are empty there is nothing to repeat, whatever stands at their "last" position.
        last = (histories.offsets[1:] - 1).repeat_interleave(counts)
        steps = last - torch.arange(len(histories.items), device=last.device)
        weights = torch.full_like(steps, self.step_decay, dtype=torch.float32) ** steps
        if self.day_decay < 1 and histories.timestamp is not None:
            days = (histories.timestamp[last] - histories.timestamp).float() / SECONDS_PER_DAY
            weights *= torch.full_like(days, self.day_decay) ** days
        return weights
