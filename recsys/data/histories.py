"""Histories: each user's known interactions, oldest first, as one ragged tensor.

Shape suffixes: B users of a batch, M interactions of all of them together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recsys.data.deferred import Deferred, defer_fields, stored
from recsys.data.interactions import IntArray, Interactions
from recsys.data.row_numbers import RowArray, count_each
from recsys.data.user_rows import UserRows


@dataclass(frozen=True, slots=True)
class Histories:
    """Ragged histories: row ``b`` holds ``items[offsets[b]:offsets[b + 1]]``, oldest first.

    The histories of all users hold their items in four bytes each; who reads ``items`` gets int64, made anew each time,
    and :meth:`items_at` only some of them. Columns are read from the interactions when a model asks for them.

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
        """The history of each user of the vocabulary; interactions at the same time keep their order.

        They are put in order when a column is first read: a model that reads no history needs only their lengths.
        """
        order, of_users = _Order(interactions), interactions.source_of("user_index")
        assert of_users is not None, "each interaction has a user"
        counts = count_each(of_users[0], interactions.num_users, of_users[1])

        def column(name: str, dtype: torch.dtype, compact: torch.dtype | None = None) -> Any:
            if interactions.source_of(name) is None:
                return None
            return _HistoryColumn(_HistorySource(order, name, dtype, torch.device(device), compact), None)

        return cls(
            offsets=torch.from_numpy(np.concatenate([[0], np.cumsum(counts)])).to(device),
            items=column("item_index", torch.int64, compact=torch.int32),
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
        return items.at(position).resolve() if isinstance(items, _HistoryColumn) else items[position]

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

        return Histories(offsets, taken("items"), taken("rating"), taken("timestamp"), lengths)


def _at(column: Tensor | None, position: Tensor) -> Tensor | None:
    return None if column is None else column[position]


class _Order:
    """The rows of interactions, user after user and oldest first, found out when they are first asked for."""

    def __init__(self, interactions: Interactions) -> None:
        self._interactions = interactions
        self.size = len(interactions)

    @cached_property
    def _rows(self) -> RowArray:
        return UserRows.by_time(self._interactions).rows

    @cached_property
    def _taken_rows(self) -> RowArray:
        """The rows of the columns that interactions were taken from."""
        items = self._interactions.source_of("item_index")
        assert items is not None and items[1] is not None, "they were taken"
        return items[1][self._rows]

    def source_of(self, name: str) -> tuple[npt.NDArray[Any], RowArray]:
        """A column of interactions, and its row of each interaction of the histories."""
        source = self._interactions.source_of(name)
        assert source is not None, "the column is there"
        values, rows = source
        return values, self._rows if rows is None else self._taken_rows


class _HistorySource:
    """A column of interactions in the order of histories, which stays where it is until all of it is asked for.

    Args:
        order: of the interactions.
        name: of the column.
        dtype: type of the tensors.
        device: where they are wanted.
        compact: type in which all of it is kept from the first batch on, so that batches are read from neighbouring
            rows; None: batches on the CPU are read from the interactions.
    """

    def __init__(
        self, order: _Order, name: str, dtype: torch.dtype, device: torch.device, compact: torch.dtype | None
    ) -> None:
        self._order, self._name = order, name
        self._dtype, self._compact, self._device = dtype, compact, device
        self._kept: Tensor | None = None

    def __len__(self) -> int:
        return self._order.size

    def whole(self) -> Tensor:
        """The column of all histories."""
        return self._whole().to(self._dtype)

    def at(self, position: Tensor | slice) -> Tensor:
        """The column at some positions."""
        if self._kept is None and self._compact is None and self._device.type == "cpu":
            values, rows = self._order.source_of(self._name)
            return self._tensor(values[rows[position if isinstance(position, slice) else position.numpy()]])
        return self._whole()[position].to(self._dtype)

    def _whole(self) -> Tensor:
        """The column of all histories, kept from then on."""
        if self._kept is None:
            values, rows = self._order.source_of(self._name)
            self._kept = self._tensor(values[rows])
        return self._kept

    def _tensor(self, values: npt.NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.asarray(values)).to(self._device, self._compact or self._dtype)


@dataclass(frozen=True, slots=True, eq=False)
class _HistoryColumn(Deferred):
    """A column of some histories; ``position`` None: of all of them."""

    source: _HistorySource
    position: Tensor | slice | None

    def resolve(self) -> Tensor:
        """The column as a tensor."""
        return self.source.whole() if self.position is None else self.source.at(self.position)

    def at(self, position: Tensor | slice) -> _HistoryColumn:
        """The column at some positions of these histories."""
        if self.position is None:
            return _HistoryColumn(self.source, position)
        assert isinstance(self.position, Tensor), "only a selection of positions is selected from"
        return _HistoryColumn(self.source, self.position[position])

    def __len__(self) -> int:
        if self.position is None:
            return len(self.source)
        assert isinstance(self.position, Tensor), "only a selection of positions is counted"
        return len(self.position)


defer_fields(Histories, ("items", "rating", "timestamp"))
