"""Histories: each user's known interactions, oldest first, as one ragged tensor.

Shape suffixes: B users of a batch, M interactions of all of them together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recsys.data.deferred import Deferred, defer_fields, stored
from recsys.data.interactions import IntArray, Interactions
from recsys.data.row_numbers import RowArray
from recsys.data.user_rows import UserRows


@dataclass(frozen=True, slots=True)
class Histories:
    """Ragged histories: row ``b`` holds ``items[offsets[b]:offsets[b + 1]]``, oldest first.

    The histories of all users hold their items in four bytes each; who reads ``items`` gets int64, made anew each time,
    and :meth:`items_at` only some of them. Ratings and times are read from the interactions when a model asks for them.

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
        users = UserRows.by_time(interactions)
        positions: dict[int, RowArray] = {}

        def source_of(name: str) -> tuple[npt.NDArray[Any], RowArray] | None:
            """A column, and its row of each interaction of the histories."""
            if (source := interactions.source_of(name)) is None:
                return None
            values, rows = source
            if id(rows) not in positions:
                positions[id(rows)] = users.rows if rows is None else rows[users.rows]
            return values, positions[id(rows)]

        def column(name: str, dtype: torch.dtype) -> Any:
            source = source_of(name)
            return source and _HistoryColumn(_HistorySource(*source, dtype, torch.device(device)), None)

        items = source_of("item_index")
        assert items is not None, "each interaction has an item"
        return cls(
            offsets=torch.from_numpy(users.offsets).to(device),
            items=cast(Any, _CompactItems(torch.from_numpy(items[0][items[1]]).to(device))),
            rating=column("rating", torch.float32),
            timestamp=column("timestamp", torch.int64),
        )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def counts(self) -> Tensor:
        """Interactions of each row, shape [B], int64."""
        return self.offsets.diff()

    def items_at(self, position: Tensor | slice) -> Tensor:
        """``items[position]``, without the others."""
        items = stored(self, "items")
        return items.items[position].long() if isinstance(items, _CompactItems) else items[position]

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

        def taken(name: str) -> Any:
            column = stored(self, name)
            return column.at(position) if isinstance(column, _HistoryColumn) else _at(column, position)

        return Histories(offsets, self.items_at(position), taken("rating"), taken("timestamp"), lengths)


def _at(column: Tensor | None, position: Tensor) -> Tensor | None:
    return None if column is None else column[position]


@dataclass(frozen=True, slots=True, eq=False)
class _CompactItems(Deferred):
    """Items of all histories, int32."""

    items: Tensor

    def resolve(self) -> Tensor:
        """The items as int64, the type of indices in a batch."""
        return self.items.long()

    def __len__(self) -> int:
        return len(self.items)


class _HistorySource:
    """A column of interactions in the order of histories, which stays where it is until all of it is asked for.

    Args:
        column: of interactions.
        rows: its row of each interaction of the histories, shape [M].
        dtype: type of the tensors.
        device: where they are wanted.
    """

    def __init__(self, column: npt.NDArray[Any], rows: RowArray, dtype: torch.dtype, device: torch.device) -> None:
        self._column = column
        self.rows = rows
        self._dtype = dtype
        self._device = device
        self._whole: Tensor | None = None

    def whole(self) -> Tensor:
        """The column of all histories, kept from then on."""
        if self._whole is None:
            self._whole = self._tensor(self.rows)
        return self._whole

    def at(self, position: Tensor) -> Tensor:
        """The column at some positions; a batch on the CPU is read from the interactions."""
        if self._whole is None and self._device.type == "cpu":
            return self._tensor(self.rows[position.numpy()])
        return self.whole()[position]

    def _tensor(self, rows: RowArray) -> Tensor:
        return torch.from_numpy(np.asarray(self._column[rows])).to(self._device, self._dtype)


@dataclass(frozen=True, slots=True, eq=False)
class _HistoryColumn(Deferred):
    """The ratings or times of some histories; ``position`` None: of all of them."""

    source: _HistorySource
    position: Tensor | None

    def resolve(self) -> Tensor:
        """The column as a tensor."""
        return self.source.whole() if self.position is None else self.source.at(self.position)

    def at(self, position: Tensor) -> _HistoryColumn:
        """The column at some positions of these histories."""
        return _HistoryColumn(self.source, position if self.position is None else self.position[position])

    def __len__(self) -> int:
        return len(self.source.rows) if self.position is None else len(self.position)


defer_fields(Histories, ("items", "rating", "timestamp"))
