"""The implicit or the explicit view of a data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from recsys.data.interactions import Interactions
from recsys.data.prepared import PreparedDataset
from recsys.data.row_numbers import RowArray
from recsys.data.weight_transform import WeightTransform, transform_weights
from recsys.errors import DataError

ViewKind = Literal["implicit", "explicit"]


@dataclass(frozen=True, slots=True, eq=False)
class FeedbackView:
    """The interactions that a split divides, and which of them are positives.

    Both views of a data set can be split and ranked. Interactions rated below ``positive_threshold`` are only part of
    the explicit view: they count as seen there, but are never relevant items.

    Args:
        kind: ``implicit`` (the positive interactions alone) or ``explicit`` (every rating).
        interactions: N interactions.
        positive: whether each of them is positive, shape [N], bool.
        weight_transform: how much a pair counts in training, see
            :func:`recsys.data.weight_transform.transform_weights`.
    """

    kind: ViewKind
    interactions: Interactions
    positive: npt.NDArray[np.bool_]
    weight_transform: WeightTransform = "none"

    @classmethod
    def implicit(cls, prepared: PreparedDataset) -> FeedbackView:
        """The implicit view: the positive interactions alone."""
        return cls.of_positives(prepared.positives())

    @classmethod
    def of_positives(cls, interactions: Interactions) -> FeedbackView:
        """The implicit view of ``interactions``, each of which is positive."""
        return cls("implicit", interactions, np.ones(len(interactions), dtype=np.bool_))

    @classmethod
    def explicit(cls, prepared: PreparedDataset) -> FeedbackView:
        """The explicit view: every rating.

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

    def training_interactions(self, rows: RowArray, rates: bool) -> Interactions:
        """The interactions at ``rows`` that a model is trained on: all if ``rates``, else the positives among them.

        Args:
            rows: positions in ``interactions``.
            rates: whether the model predicts ratings.
        """
        chosen = self.interactions.take(rows if rates or self.positive.all() else rows[self.positive[rows]])
        return transform_weights(chosen, self.weight_transform)
