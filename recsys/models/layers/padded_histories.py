"""Parts of histories as rows of one length, oldest first.

Shape suffixes: B rows, L positions, M interactions of all histories together.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from recsys.data.histories import Histories


@dataclass(frozen=True, slots=True)
class PaddedHistories:
    """B rows of up to L interactions; what follows the last one of a row is padding.

    Args:
        items: internal item indices, shape [B, L], int64; 0 in padding.
        lengths: interactions of each row, shape [B], int64.
        rating: shape [B, L], float32, or None where the data have none; 0 in padding.
        time_gaps: seconds since the interaction before, shape [B, L], float32, 0 for the first of a row and in padding;
            None where the data have no timestamps.
    """

    items: Tensor
    lengths: Tensor
    rating: Tensor | None
    time_gaps: Tensor | None

    @classmethod
    def cut(cls, histories: Histories, starts: Tensor, lengths: Tensor) -> PaddedHistories:
        """Rows of consecutive interactions.

        Args:
            histories: where they are cut from.
            starts: position in ``histories.items`` of the first interaction of each row, shape [B], int64.
            lengths: interactions of each row, shape [B], int64; they belong to one history.
        """
        longest = int(lengths.max()) if len(lengths) > 0 else 0
        column = torch.arange(longest, device=starts.device)
        inside = column < lengths[:, None]
        place = torch.where(inside, starts[:, None] + column, 0)

        def take(values: Tensor) -> Tensor:
            if len(values) == 0:
                return torch.zeros(place.shape, dtype=values.dtype, device=place.device)
            return torch.where(inside, values[place], 0)

        time_gaps = None
        if histories.timestamp is not None:
            timestamp = take(histories.timestamp)
            time_gaps = torch.zeros(place.shape, device=place.device)
            time_gaps[:, 1:] = torch.where(inside[:, 1:], timestamp.diff(dim=1), 0).float()
        rating = None if histories.rating is None else take(histories.rating)
        return cls(take(histories.items), lengths, rating, time_gaps)

    @classmethod
    def latest(cls, histories: Histories, max_length: int) -> PaddedHistories:
        """The latest ``max_length`` interactions of each history."""
        lengths = histories.counts.clamp(max=max_length)
        return cls.cut(histories, histories.offsets[1:] - lengths, lengths)
