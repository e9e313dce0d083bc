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

from recsys.data.interactions import IntArray, Interactions


@dataclass(frozen=True, slots=True)
class Histories:
    """Ragged histories: row ``b`` holds ``items[offsets[b]:offsets[b + 1]]``, oldest first.

    Args:
        offsets: shape [B + 1], int64, from 0 to M.
        items: internal item indices, shape [M], int64.
        rating: shape [M], float32, or None.
        timestamp: shape [M], int64, or None.
        lengths: interactions of each row, shape [B], int64, on the host; None where only the device knows them. Whoever
            needs the length of a history for a shape takes it from here, and does not have to wait for the device.
    """

    offsets: Tensor
    items: Tensor
    rating: Tensor | None
    timestamp: Tensor | None
    lengths: IntArray | None = None

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

    def host_lengths(self) -> IntArray:
        """:attr:`lengths`, read from the device where they are not known: the one time that it is waited for."""
        return self.counts.cpu().numpy() if self.lengths is None else self.lengths

    def take(self, rows: Tensor, lengths: IntArray | None = None) -> Histories:
        """The histories of some users.

        Args:
            rows: shape [B], int64; -1 stands for a user without history.
            lengths: interactions of each of ``rows``, shape [B], where they are known on the host: then nothing waits
                for the device.
        """
        total = None if lengths is None else int(lengths.sum())
        known = rows.clamp(min=0)
        count = torch.where(rows >= 0, self.offsets[known + 1] - self.offsets[known], 0)
        offsets = torch.cat([count.new_zeros(1), count.cumsum(0)])
        row = torch.repeat_interleave(torch.arange(len(rows), device=rows.device), count, output_size=total)
        position = torch.arange(len(row), device=rows.device) - (offsets[:-1] - self.offsets[known])[row]
        return Histories(
            offsets=offsets,
            items=self.items[position],
            rating=None if self.rating is None else self.rating[position],
            timestamp=None if self.timestamp is None else self.timestamp[position],
            lengths=lengths,
        )
