"""The columns of stored interactions, and what the framework makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from recsys.data.columns import ITEM_ID, SUBSECOND_NS, TIMESTAMP, USER_ID
from recsys.data.readers.store.database import copied_batches

_MICROSECONDS, _VALUE = "microseconds", "value"
_PER_SECOND = 1_000_000

#: Types of the stored columns: ids, microseconds since 1970, and a value that may be missing.
STORED_TYPES: dict[str, pa.DataType] = {
    USER_ID: pa.string(),
    ITEM_ID: pa.string(),
    _MICROSECONDS: pa.int64(),
    _VALUE: pa.float64(),
}


@dataclass(frozen=True, slots=True)
class Look:
    """What all interactions together show.

    Args:
        num_rows: how many there are.
        num_without_value: those without a value.
        has_subseconds: whether any time is no whole second.
    """

    num_rows: int
    num_without_value: int
    has_subseconds: bool


def look_through(parts: Iterable[pa.Table]) -> Look:
    """Look at all parts of the stored columns."""
    num_rows, without, subseconds = 0, 0, False
    for part in parts:
        num_rows += len(part)
        without += part[_VALUE].null_count
        subseconds = subseconds or bool((part[_MICROSECONDS].to_numpy() % _PER_SECOND).any())
    return Look(num_rows, without, subseconds)


@dataclass(frozen=True, slots=True)
class StoredColumns:
    """What is made of the stored columns.

    Args:
        value: the column that the values become; None where they are left out.
        has_subseconds: whether parts of a second are a column.
    """

    value: str | None
    has_subseconds: bool

    def of(self, part: pa.Table) -> pa.Table:
        """The interactions under the framework's names."""
        seconds, microseconds = np.divmod(part[_MICROSECONDS].to_numpy(), _PER_SECOND)
        table = part.select([USER_ID, ITEM_ID]).append_column(TIMESTAMP, pa.array(seconds))
        if self.has_subseconds:
            table = table.append_column(SUBSECOND_NS, pa.array(microseconds.astype(np.int32) * 1000))
        return table if self.value is None else table.append_column(self.value, part[_VALUE])


@dataclass(frozen=True, slots=True)
class StoredBatches:
    """Interactions in batches.

    Args:
        path: a copy of the stored columns.
        columns: what is made of them.
    """

    path: Path
    columns: StoredColumns

    def __call__(self) -> Iterator[pa.Table]:
        """Begin to read."""
        return map(self.columns.of, copied_batches(self.path, STORED_TYPES))
