"""Most popular: the same ranking for everyone."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from recsys.data.interactions import Interactions
from recsys.data.row_numbers import count_each
from recsys.errors import ModelError
from recsys.models.components.recency import SECONDS_PER_DAY
from recsys.models.interface.earlier_fit import EarlierFit
from recsys.models.interface.model_card import ModelCard
from recsys.models.interface.protocols import Query
from recsys.models.onnx.constant_scores import ConstantScores
from recsys.models.onnx.exportable import ServingForm


class Popularity(nn.Module):
    """Scores an item by the sum of its training interactions, each weighed by ``0.5 ** (age / half-life)``.

    Interactions with weights of their own, such as quantities, are added up by these.

    Ages count from the newest training interaction. Counting from a later moment would multiply all scores by one
    number. Ties are left as ties. Every user gets scores, known or not.

    Args:
        num_users: size of the user vocabulary; not used, taken so that every model is constructed alike.
        num_items: size of the item vocabulary, I.
        half_life_days: age at which an interaction counts half, in days; None for popularity of all time, where each
            counts 1.

    Raises:
        ModelError: the half-life is not positive.
    """

    card: ClassVar[ModelCard] = ModelCard(
        summary="interactions of each item, of all time or fading",
        settings=("half_life_days",),
        use="as what every other model has to beat; with a half-life where the future is ranked (`split=temporal`)",
        gives="scores",
        served_from="the same for all",
        weights="added up",
    )

    counts: Tensor

    def __init__(self, num_users: int, num_items: int, half_life_days: float | None = None) -> None:
        super().__init__()
        if half_life_days is not None and not half_life_days > 0:
            raise ModelError(
                f"model.half_life_days must be a number of days above 0, but it is {half_life_days}. "
                "null leaves age out."
            )
        self.half_life_days = half_life_days
        self.register_buffer("counts", torch.zeros(num_items))

    def fit(self, interactions: Interactions) -> None:
        """Count the interactions of each item, or add up their weights.

        Raises:
            ModelError: age counts, but the interactions have no timestamps.
        """
        weights: npt.NDArray[np.floating] | None = interactions.weight
        if self.half_life_days is not None:
            fading = self._weights(interactions, self.half_life_days)
            weights = fading if weights is None else weights * fading
        items = interactions.item_index
        if weights is None:
            counts: npt.NDArray[Any] = count_each(items, interactions.num_items)
        else:
            counts = np.bincount(items, weights, minlength=interactions.num_items)
        self.counts.copy_(torch.from_numpy(counts))

    def update(self, interactions: Interactions, earlier: EarlierFit) -> dict[str, Tensor] | None:
        """Count the rows that changed alone; None where age counts, as then each row counts less than before."""
        if self.half_life_days is not None:
            return None
        self.counts[: len(earlier.state["counts"])] = earlier.state["counts"]
        for rows, sign in ((earlier.change.before, -1), (earlier.change.now, 1)):
            counts = np.bincount(rows.item_index, rows.weight, minlength=rows.num_items)
            self.counts += sign * torch.from_numpy(counts).to(self.counts)
        return {}

    def _weights(
        self, interactions: Interactions, half_life_days: float
    ) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """The weight of each interaction, shape [N], float64."""
        if interactions.timestamp is None:
            raise ModelError(
                "Popularity with a half-life needs interactions with timestamps, but these data have none. "
                "Set model.half_life_days=null, or give a timestamp column."
            )
        if len(interactions) == 0:
            return np.empty(0)
        days = (interactions.timestamp.max() - interactions.timestamp) / SECONDS_PER_DAY
        return np.exp2(-days / half_life_days)

    def score(self, query: Query) -> Tensor:
        """The counts for each query, shape [B, I], float32."""
        return self.counts.expand(len(query), -1)

    def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        """The counts of ``items``, in the shape that ``users`` and ``items`` broadcast to."""
        return self.counts[items].expand(torch.broadcast_shapes(users.shape, items.shape))

    def serving_form(self) -> ServingForm:
        """The counts; see :class:`recsys.models.onnx.exportable.Exportable`."""
        return ServingForm(ConstantScores(self.counts).eval(), None)
