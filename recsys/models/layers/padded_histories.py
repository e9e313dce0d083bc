"""Histories padded to rows of equal length, oldest first.

Shape suffixes: B rows, L positions, M interactions of all histories together.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from recsys.data.histories import Histories


@dataclass(frozen=True, slots=True)
class PaddedHistories:
    """B rows of up to L interactions, padded at the end.

    Args:
        items: internal item indices, shape [B, L], int64; 0 in padding.
        lengths: number of interactions of each row, shape [B], int64.
        rating: shape [B, L], float32; 0 in padding; None without ratings.
        time_gaps: seconds since the previous interaction, shape [B, L], float32; 0 for the first of a row and in
            padding; None without timestamps.
    """

    items: Tensor
    lengths: Tensor
    rating: Tensor | None
    time_gaps: Tensor | None

    @classmethod
    def cut(cls, histories: Histories, starts: Tensor, lengths: Tensor, longest: int | None = None) -> PaddedHistories:
        """Rows of consecutive interactions.

        Args:
            histories: the histories that rows are cut from.
            starts: position in ``histories.items`` of the first interaction of each row, shape [B], int64.
            lengths: number of interactions of each row, shape [B], int64; a row does not extend beyond its history.
            longest: the largest of ``lengths``, where it is known on the host; else the device is waited for.
        """
        if longest is None:
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
        known = histories.lengths
        longest = None if known is None else min(int(known.max(initial=0)), max_length)
        return cls.cut(histories, histories.offsets[1:] - lengths, lengths, longest)
