"""Recency weights: older interactions of a history count less.

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

    The age of an interaction is relative to the newest one of the same history: in steps (how many came after it) and
    in days. Relative to now instead, all weights of a user would be multiplied by the same number, which does not
    change the ranking of a model that is linear in the history.

    Args:
        step_decay: factor for each later interaction, in (0, 1]; 1 for none. Interactions of the same time are ordered
            as they stand in the data.
        day_decay: factor for each day of age, in (0, 1]; 1 for none.

    Raises:
        ModelError: a factor is out of range.
    """

    def __init__(self, step_decay: float = 1.0, day_decay: float = 1.0) -> None:
        if not (0 < step_decay <= 1 and 0 < day_decay <= 1):
            raise ModelError(
                f"Recency factors must be above 0 and at most 1, but step_decay is {step_decay} and day_decay is "
                f"{day_decay}. 1 ignores age."
            )
        self.step_decay = step_decay
        self.day_decay = day_decay

    @property
    def is_used(self) -> bool:
        """Whether any weight differs from 1."""
        return self.step_decay < 1 or self.day_decay < 1

    def check(self, interactions: Interactions) -> None:
        """Check that the interactions have timestamps if recency is used.

        Raises:
            ModelError: recency is used, but there are no timestamps.
        """
        if self.is_used and interactions.timestamp is None:
            raise ModelError(
                "Recency weights need interactions with timestamps, but these data have none. "
                "Set model.recency.step_decay=1 and model.recency.day_decay=1, or give a timestamp column."
            )

    def weights(self, histories: Histories) -> Tensor | None:
        """The weight of each interaction, shape [M], float32, 1 for the newest of a row; None if recency is not used.

        Histories without timestamps are taken as ordered, oldest first, and as of a single day.
        """
        if not self.is_used:
            return None
        counts = histories.counts
        # The "last" position of an empty history is wrong, but it is repeated zero times.
        last = (histories.offsets[1:] - 1).repeat_interleave(counts)
        steps = last - torch.arange(len(histories.items), device=last.device)
        weights = torch.full_like(steps, self.step_decay, dtype=torch.float32) ** steps
        if self.day_decay < 1 and histories.timestamp is not None:
            days = (histories.timestamp[last] - histories.timestamp).float() / SECONDS_PER_DAY
            weights *= torch.full_like(days, self.day_decay) ** days
        return weights
