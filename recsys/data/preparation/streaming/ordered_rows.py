"""Writes the interactions of all partitions in one order, that of the raw rows or that of time, block after block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
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
        self._parts, self._sizes = parts, sizes
        # Users of all partitions one after the other, so that a block is looked up at once and not by partition.
        self._first_users = np.cumsum([0, *map(len, user_index)])[:-1].astype(np.int32)
        self._users, self._user_index = np.concatenate(core.users), np.concatenate(user_index)
        self._items, self._item_index = core.items, item_index
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
        return sum(executor.map(_num_pairs, self._partitions, (self,)))

    def blocks(self, executor: Executor) -> Iterator[Interactions]:
        """The interactions, one block after the other; none of them is empty."""
        bounds = self._time_bounds() if self._by_time else self._row_bounds()
        cuts = np.stack(list(executor.map(_cuts, self._partitions, (self, bounds))), axis=1)
        arguments = [(int(first), cuts[block : block + 2]) for block, first in enumerate(bounds[:-1])]
        return (block for block in executor.map(_block, arguments, (self,)) if block is not None)

    def cuts_of(self, partition: int, bounds: IntArray) -> IntArray:
        """How many interactions of a partition come before each of some bounds of blocks, shape [len(bounds)]."""
        found = self._parts.open(partition)
        if found is None:
            return np.zeros(len(bounds), dtype=np.int64)
        return np.searchsorted(_seconds(found[0]) if self._by_time else found[1], bounds)

    def block(self, first: int, cuts: IntArray) -> Interactions | None:
        """The interactions between two bounds of blocks, None where none stays.

        Args:
            first: the number in the raw data of the first row that the block may have.
            cuts: by partition, what :meth:`cuts_of` gives for both, shape [2, P].
        """
        parts, row = [], []
        for partition in np.flatnonzero(cuts[0] < cuts[1]).tolist():
            part, rows = self._parts.read(partition, slice(*cuts[:, partition].tolist()))
            parts.append(replace(part, user_index=part.user_index + self._first_users[partition]))
            row.append(rows)
        if not parts:
            return None
        joined, numbers = _joined(parts), np.concatenate(row)
        kept = np.flatnonzero(self._users[joined.user_index] & self._items[joined.item_index])
        moments = joined.moments if self._by_time else None
        if moments is None:  # numbers are all different, and lie close together
            place = np.full(int(numbers.max()) - first + 1, -1, dtype=np.int64)
            place[numbers[kept] - first] = kept
            order = place[place >= 0]
        else:
            order = kept[np.lexsort((numbers[kept], moments[kept]))]
        return self._indexed(joined, order) if len(order) else None

    def num_pairs_of(self, partition: int) -> int:
        """Different pairs of a user and an item in one partition."""
        found = self._parts.open(partition)
        if found is None:
            return 0
        users = self._users[found[0].user_index + self._first_users[partition]]
        return num_distinct(found[0].pairs[users & self._items[found[0].item_index]])

    @property
    def _partitions(self) -> list[tuple[int]]:
        return [(partition,) for partition in range(len(self._parts))]

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

    def _indexed(self, joined: Interactions, order: IntArray) -> Interactions:
        """The interactions at positions ``order`` under their final indices."""
        columns = {name: values[order] for name, values in joined.columns().items()}
        columns["user_index"] = self._user_index[columns["user_index"]]
        columns["item_index"] = self._item_index[columns["item_index"]]
        num_users, num_items = self._sizes
        return replace(joined, num_users=num_users, num_items=num_items, **columns)


def _cuts(ordered: OrderedRows, bounds: IntArray, partition: int) -> IntArray:
    return ordered.cuts_of(partition, bounds)


def _block(ordered: OrderedRows, first: int, cuts: IntArray) -> Interactions | None:
    return ordered.block(first, cuts)


def _num_pairs(ordered: OrderedRows, partition: int) -> int:
    return ordered.num_pairs_of(partition)


def _seconds(interactions: Interactions) -> IntArray:
    assert interactions.timestamp is not None, "there are no parts of a second without seconds"
    return interactions.timestamp


def _joined(parts: list[Interactions]) -> Interactions:
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("user_index", "item_index", *OPTIONAL_COLUMNS)
        if getattr(parts[0], name) is not None
    }
    return replace(parts[0], **columns)  # type: ignore[arg-type]
