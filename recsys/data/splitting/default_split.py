"""Uses the split that the data come with, or another strategy if they come unsplit."""

from __future__ import annotations

from dataclasses import dataclass

from recsys.data.interactions import Interactions
from recsys.data.split import Split, Splitter


@dataclass(frozen=True, slots=True)
class DefaultSplit:
    """Keep the split that the data come with, so that a published test is never mixed into training by a default.

    Args:
        given: splitter for interactions with folds.
        otherwise: splitter for interactions without folds.
    """

    given: Splitter
    otherwise: Splitter

    def split(self, interactions: Interactions) -> Split:
        """Divide ``interactions`` with the splitter that fits them.

        Raises:
            SplitError: that splitter cannot divide them.
        """
        splitter = self.otherwise if interactions.fold is None else self.given
        return splitter.split(interactions)
