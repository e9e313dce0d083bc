"""For each item the items that are most like it, or that have the largest weights in its score.

Shape suffixes: I items of the catalogue, N neighbours of all items together.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.data.columns import ITEM_INDEX
from recsys.retrieval.types import FloatArray, IntArray

NEIGHBOUR_INDEX = "neighbour_index"
WEIGHT = "weight"


@dataclass(frozen=True, slots=True, eq=False)
class NeighbourTable:
    """Ragged lists: item ``i`` has ``neighbours[offsets[i]:offsets[i + 1]]``, the largest weight first.

    Args:
        offsets: shape [I + 1], int64.
        neighbours: internal item indices, shape [N], int64.
        weights: above zero, shape [N], float32.
    """

    offsets: IntArray
    neighbours: IntArray
    weights: FloatArray

    def of(self, item: int) -> tuple[IntArray, FloatArray]:
        """The neighbours of an item and their weights, the largest first."""
        rows = slice(self.offsets[item], self.offsets[item + 1])
        return self.neighbours[rows], self.weights[rows]

    def write(self, path: Path) -> None:
        """Write the table as Parquet."""
        items = np.repeat(np.arange(len(self.offsets) - 1, dtype=np.int32), np.diff(self.offsets))
        columns = {ITEM_INDEX: items, NEIGHBOUR_INDEX: self.neighbours.astype(np.int32), WEIGHT: self.weights}
        pq.write_table(pa.table(columns), path, compression="zstd")

    @classmethod
    def read(cls, path: Path, num_items: int) -> NeighbourTable:
        """Read what :meth:`write` wrote."""
        table = pq.read_table(path)
        counts = np.bincount(table.column(ITEM_INDEX).to_numpy(), minlength=num_items)
        return cls(
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            table.column(NEIGHBOUR_INDEX).to_numpy().astype(np.int64),
            table.column(WEIGHT).to_numpy(),
        )
