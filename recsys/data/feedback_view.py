"""One data set seen as likes or as ratings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from recsys.data.interactions import IntArray, Interactions
from recsys.data.prepared import PreparedDataset
from recsys.errors import DataError

ViewKind = Literal["implicit", "explicit"]


@dataclass(frozen=True, slots=True, eq=False)
class FeedbackView:
    """The interactions that a split divides, and which of them are likes.

    Both views of a data set may be held out and ranked alike: what is rated below ``positive_threshold`` is part of
    the explicit view, where it is known and seen, but never a relevant item.

    Args:
        kind: ``implicit`` (the positive interactions alone) or ``explicit`` (every rating).
        interactions: N interactions.
        positive: whether each of them is a positive interaction, shape [N], bool.
    """

    kind: ViewKind
    interactions: Interactions
    positive: npt.NDArray[np.bool_]

    @classmethod
    def implicit(cls, prepared: PreparedDataset) -> FeedbackView:
        """The positive interactions."""
        return cls.of_positives(prepared.positives())

    @classmethod
    def of_positives(cls, interactions: Interactions) -> FeedbackView:
        """``interactions``, each of them a like."""
        return cls("implicit", interactions, np.ones(len(interactions), dtype=np.bool_))

    @classmethod
    def explicit(cls, prepared: PreparedDataset) -> FeedbackView:
        """Every rating.

        Raises:
            DataError: the data have no ratings.
        """
        interactions = prepared.interactions
        if interactions.rating is None:
            raise DataError(
                f"The explicit view needs ratings, but {prepared.schema.name} has none. Use view=implicit and a model "
                "that learns from interactions alone, or give data with a rating column."
            )
        positive = np.zeros(len(interactions), dtype=np.bool_)
        positive[interactions.rows_rated_at_least(prepared.schema.positive_threshold)] = True
        return cls("explicit", interactions, positive)

    def training_interactions(self, rows: IntArray, rates: bool) -> Interactions:
        """What a model learns from at ``rows``: every rating where it predicts ratings, else the likes among them."""
        return self.interactions.take(rows if rates else rows[self.positive[rows]])
