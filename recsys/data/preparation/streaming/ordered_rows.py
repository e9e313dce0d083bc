"""Writes the interactions of all partitions in one order, that of the raw rows or that of time, block after block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from recsys.cli.progress import progress
from recsys.data.interactions import OPTIONAL_COLUMNS, IndexArray, IntArray, Interactions
from recsys.data.preparation.pair_groups import num_distinct
from recsys.data.preparation.streaming.executor import Executor
from recsys.data.preparation.streaming.partitioned import PartitionedInteractions
from recsys.data.preparation.streaming.partitioned_core import Core
from recsys.data.preparation.totals import InteractionTotals
from recsys.data.preparation.written_interactions import as_table

#: Interactions that are put in order at once.
_BLOCK_ROWS = 1 << 21
#: Of each partition so many times are looked at to find where blocks of time begin.
_SAMPLED_TIMES = 4096


class OrderedRows:
    """The interactions that stay, under their final indices and in their final order.

    Args:
        parts: the interactions, each partition in that order.
        core: which of them stay.
        user_index: by partition, the final index of each of its users, int32; any number for one that does not stay.
        item_index: the final index of each item, int32.
        sizes: numbers of users and items.
        num_rows: rows of the raw data.
        num_left: interactions that stay.
        block_rows: how many are put in order at once.
    """

    def __init__(
        self,
        parts: PartitionedInteractions,
        core: Core,
        user_index: list[IndexArray],
        item_index: IndexArray,
        sizes: tuple[int, int],
        num_rows: int,
        num_left: int,
        block_rows: int = _BLOCK_ROWS,
    ) -> None:
        self._parts, self._core = parts, core
        self._user_index, self._item_index, self._sizes = user_index, item_index, sizes
        self._num_rows, self._num_left, self._block_rows = num_rows, num_left, block_rows

    def write(self, path: Path, totals: InteractionTotals, executor: Executor) -> None:
        """Write them as a Parquet file, and count them."""
        with ExitStack() as stack, progress.bar("writing interactions", self._num_left) as bar:
            writer: Any = None
            for block in self.blocks(executor):
                table = as_table(block)
                if writer is None:
                    writer = stack.enter_context(pq.ParquetWriter(path, table.schema, compression="zstd"))
                writer.write_table(table)
                totals.add(block)
                bar.advance(len(block))

    def num_pairs(self, executor: Executor) -> int:
        """Different pairs of a user and an item."""
        return sum(executor.map(_num_pairs, [(partition,) for partition in range(len(self._parts))], (self,)))

    def blocks(self, executor: Executor) -> Iterator[Interactions]:
        """The interactions, one block after the other; none of them is empty."""
        bounds = self._time_bounds() if self._by_time else self._row_bounds()
        ends = [(int(first), int(last)) for first, last in zip(bounds[:-1], bounds[1:], strict=True)]
        return (block for block in executor.map(_block, ends, (self,)) if block is not None)

    def block(self, first: int, last: int) -> Interactions | None:
        """Those of which the number in the raw data, or the second, is at least ``first`` and below ``last``.

        Files are opened for a block alone: what is mapped of them would count as memory of the process until the end.
        """
        blocks, orders = [], []
        for partition, interactions, rows in self._parts:
            keys = _seconds(interactions) if self._by_time else rows
            cut = slice(*np.searchsorted(keys, [first, last]).tolist())
            if cut.start < cut.stop:
                part = _sliced(interactions, cut)
                kept = np.flatnonzero(self._core.keeps(partition, part))
                part = part.take(kept)
                row = rows[cut][kept]
                moments = part.moments if self._by_time else None
                orders.append(np.stack([row, row if moments is None else moments]))
                blocks.append(self._indexed(part, partition))
        return _joined(blocks).take(np.lexsort(np.concatenate(orders, axis=1))) if blocks else None

    def num_pairs_of(self, partition: int) -> int:
        """Different pairs of a user and an item in one partition."""
        found = self._parts.open(partition)
        return 0 if found is None else num_distinct(found[0].pairs[self._core.keeps(partition, found[0])])

    @property
    def _by_time(self) -> bool:
        return "subsecond_ns" in self._parts.columns

    def _row_bounds(self) -> IntArray:
        return np.append(np.arange(0, self._num_rows, self._block_rows), self._num_rows)

    def _time_bounds(self) -> IntArray:
        """Seconds that divide the interactions into blocks of about as many; equal ones are in one block."""
        samples, ends, num_rows = [], [], 0
        for _, interactions, _ in self._parts:
            seconds = _seconds(interactions)
            samples.append(np.array(seconds[:: max(1, len(seconds) // _SAMPLED_TIMES)]))
            ends += [int(seconds[0]), int(seconds[-1])]
            num_rows += len(seconds)
        sampled, lowest = np.sort(np.concatenate(samples)), min(ends)
        num_blocks = max(1, -(-num_rows // self._block_rows))
        inner = np.unique(sampled[np.arange(1, num_blocks) * len(sampled) // num_blocks])
        return np.concatenate([[lowest], inner[inner > lowest], [max(ends) + 1]]).astype(np.int64)

    def _indexed(self, part: Interactions, partition: int) -> Interactions:
        """The interactions under their final indices, with columns of their own: a process may have few files open."""
        columns = part.columns()
        columns["user_index"] = self._user_index[partition][columns["user_index"]]
        columns["item_index"] = self._item_index[columns["item_index"]]
        num_users, num_items = self._sizes
        return replace(part, num_users=num_users, num_items=num_items, **columns)


def _block(ordered: OrderedRows, first: int, last: int) -> Interactions | None:
    return ordered.block(first, last)


def _num_pairs(ordered: OrderedRows, partition: int) -> int:
    return ordered.num_pairs_of(partition)


def _seconds(interactions: Interactions) -> IntArray:
    assert interactions.timestamp is not None, "there are no parts of a second without seconds"
    return interactions.timestamp


def _sliced(interactions: Interactions, rows: slice) -> Interactions:
    columns: dict[str, npt.NDArray[Any]] = {
        name: values[rows]
        for name in ("user_index", "item_index", *OPTIONAL_COLUMNS)
        if (values := getattr(interactions, name)) is not None
    }
    return replace(interactions, **columns)  # type: ignore[arg-type]


def _joined(parts: list[Interactions]) -> Interactions:
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("user_index", "item_index", *OPTIONAL_COLUMNS)
        if getattr(parts[0], name) is not None
    }
    return replace(parts[0], **columns)  # type: ignore[arg-type]
