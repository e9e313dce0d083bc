"""Histories: each user's known interactions, oldest first, as one ragged tensor.

Shape suffixes: B users of a batch, M interactions of all of them together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recsys.data.interactions import Interactions


@dataclass(frozen=True, slots=True)
class Histories:
    """Ragged histories: row ``b`` holds ``items[offsets[b]:offsets[b + 1]]``, oldest first.

    Args:
        offsets: shape [B + 1], int64, from 0 to M.
        items: internal item indices, shape [M], int64.
        rating: shape [M], float32, or None.
        timestamp: shape [M], int64, or None.
    """

    offsets: Tensor
    items: Tensor
    rating: Tensor | None
    timestamp: Tensor | None

    @classmethod
    def from_interactions(cls, interactions: Interactions, device: torch.device | str = "cpu") -> Histories:
        """The history of each user of the vocabulary; interactions at the same time keep their order."""
        moments = interactions.moments
        if moments is None:
            order = np.argsort(interactions.user_index, kind="stable")
        else:
            order = np.lexsort((moments, interactions.user_index))
        counts = np.bincount(interactions.user_index, minlength=interactions.num_users)
        offsets = np.concatenate([[0], np.cumsum(counts)])

        def put(column: npt.NDArray[Any] | None, dtype: torch.dtype) -> Tensor | None:
            return None if column is None else torch.from_numpy(column[order]).to(device=device, dtype=dtype)

        return cls(
            offsets=torch.from_numpy(offsets).to(device),
            items=torch.from_numpy(interactions.item_index[order]).to(device=device, dtype=torch.int64),
            rating=put(interactions.rating, torch.float32),
            timestamp=put(interactions.timestamp, torch.int64),
        )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def counts(self) -> Tensor:
        """Interactions of each row, shape [B], int64."""
        return self.offsets.diff()

    def take(self, rows: Tensor) -> Histories:
        """The histories of ``rows`` (shape [B], int64; -1 stands for a user without history)."""
        known = rows.clamp(min=0)
        count = torch.where(rows >= 0, self.offsets[known + 1] - self.offsets[known], 0)
        offsets = torch.cat([count.new_zeros(1), count.cumsum(0)])
        row = torch.repeat_interleave(torch.arange(len(rows), device=rows.device), count)
        position = torch.arange(len(row), device=rows.device) - (offsets[:-1] - self.offsets[known])[row]
        return Histories(
            offsets=offsets,
            items=self.items[position],
            rating=None if self.rating is None else self.rating[position],
            timestamp=None if self.timestamp is None else self.timestamp[position],
        )
