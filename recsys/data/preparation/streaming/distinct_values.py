"""Counts the distinct values of a column that comes in batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.preparation.pair_groups import distinct_sorted, num_distinct

#: Distinct numbers that are held in memory; where there are more, all of them go to files.
_IN_MEMORY = 1 << 22
_NUM_FILES = 64
#: Texts that wait to be joined with those that are known: so many times as many, and this number at most unless
#: more are known.
_JOIN_AT = 4
_MAX_WAITING = 1 << 24
#: An odd number (2^64 by the golden ratio): its products spread over the files, whatever the numbers have in common.
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


class DistinctTexts:
    """The distinct values of text (or of anything that Arrow can tell apart), in the order of their first occurrence.

    They are held in memory, each once.
    """

    def __init__(self, type_: pa.DataType) -> None:
        self._known = pa.chunked_array([], type_)
        self._more: list[pa.Array] = []
        self._num_more = 0

    def add(self, values: pa.Array) -> None:
        """Take in more values; nulls are left out."""
        self._more.append(pc.unique(values).drop_null())
        self._num_more += len(self._more[-1])
        # Joining looks at all that are known: seldom, so that this is little of the work, while what waits is not much.
        if self._num_more > max(min(_JOIN_AT * len(self._known), _MAX_WAITING), len(self._known), 1 << 16):
            self._join()

    def extend(self, later: DistinctTexts) -> None:
        """Take in the values of a scan of what comes after."""
        self.add(later.values())

    def values(self) -> pa.Array:
        """The distinct values."""
        self._join()
        return self._known.combine_chunks()

    def _join(self) -> None:
        joined = pa.chunked_array([*self._known.chunks, *self._more], self._known.type)
        self._known = pa.chunked_array([pc.unique(joined)], joined.type)
        self._more, self._num_more = [], 0


class DistinctNumbers:
    """Counts distinct numbers, in memory or, where they are many, divided into files by their values.

    Args:
        directory: for the files.
        name: begins their names.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self._known: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
        # A scan that is begun again, on another machine perhaps, has files of its own.
        stem = f"{name}-{uuid4().hex}"
        self._paths = [[directory / f"{stem}-{number:02}.numbers"] for number in range(_NUM_FILES)]
        self._in_files = False

    def add(self, values: npt.NDArray[Any]) -> None:
        """Take in more numbers, all integers or all floats of one type; without NaN."""
        if np.issubdtype(values.dtype, np.floating):
            # Equal floats have equal bits once there is no zero below zero.
            values = (values.astype(np.float64) + 0.0).view(np.int64)
        self._add(distinct_sorted(values.astype(np.int64, copy=False)))

    def _add(self, numbers: npt.NDArray[np.int64]) -> None:
        if self._in_files:
            self._write(numbers)
            return
        self._known = distinct_sorted(np.concatenate([self._known, numbers]))
        if len(self._known) > _IN_MEMORY:
            self._write(self._known)
            self._known, self._in_files = self._known[:0], True

    def extend(self, other: DistinctNumbers) -> None:
        """Take in the numbers of another scan, whose files are read where they are."""
        if other._in_files:
            for mine, theirs in zip(self._paths, other._paths, strict=True):
                mine += theirs
            if not self._in_files:
                self._write(self._known)
                self._known, self._in_files = self._known[:0], True
        else:
            self._add(other._known)

    def count(self) -> int:
        """How many different numbers there were."""
        return sum(map(_count_in_files, self._paths)) if self._in_files else len(self._known)

    def _write(self, numbers: npt.NDArray[np.int64]) -> None:
        place = (numbers.view(np.uint64) * _SPREAD >> np.uint64(58)).astype(np.uint8)  # sorted by its digits
        order = np.argsort(place, kind="stable")
        bounds = np.cumsum([0, *np.bincount(place, minlength=_NUM_FILES)])
        ordered = numbers[order]
        for paths, start, end in zip(self._paths, bounds[:-1], bounds[1:], strict=True):
            if end > start:
                with paths[0].open("ab") as file:
                    ordered[start:end].tofile(file)


def _count_in_files(paths: list[Path]) -> int:
    """Different numbers in files of the same numbers."""
    found = [np.fromfile(path, np.int64) for path in paths if path.exists()]
    return num_distinct(np.concatenate(found)) if found else 0
