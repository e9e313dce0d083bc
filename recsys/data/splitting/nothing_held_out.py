"""Holds nothing out: every interaction is trained on."""

from __future__ import annotations

from dataclasses import dataclass

from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.data.splitting.checks import require_interactions


@dataclass(frozen=True, slots=True)
class NothingHeldOut:
    """Train on all interactions, those that the data mark as validation or test included.

    Nothing is left to choose settings by or to measure with. It is for the last fit, whose settings are known.
    """

    def split(self, interactions: Interactions) -> Split:
        """All rows are training.

        Raises:
            SplitError: there are no interactions.
        """
        require_interactions(interactions)
        return Split.of_all(len(interactions))
