"""What later generations changed of interactions that earlier ones wrote: a small table beside their files.

Files of interactions are written once, and every later generation has them as they are. A row that a later one takes
back, or whose weight or first time changes, is named in ``amendments.parquet`` by its number among the rows of all
files.

Shape suffixes: N rows of all files, A amended ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.data.interactions import IntArray

_ROW, _IS_GONE = "row", "is_gone"


@dataclass(frozen=True, slots=True, eq=False)
class Amendments:
    """Rows of files that are gone or have other values now.

    Args:
        rows: numbers of the amended rows, ascending, shape [A], int64.
        is_gone: which of them are gone, shape [A], bool.
        values: values of now of the others, by column, shape [A]; those of rows that are gone say nothing.
    """

    rows: IntArray
    is_gone: npt.NDArray[np.bool_]
    values: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    @classmethod
    def none(cls) -> Amendments:
        """Nothing is amended."""
        return cls(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_))

    @classmethod
    def load(cls, path: Path) -> Amendments:
        """Read what :meth:`save` wrote; nothing where there is no such file."""
        if not path.exists():
            return cls.none()
        table = pq.read_table(path)
        columns = {name: table.column(name).to_numpy() for name in table.column_names}
        return cls(columns.pop(_ROW), columns.pop(_IS_GONE), columns)

    def save(self, path: Path) -> None:
        """Write a Parquet file; none where nothing is amended."""
        if len(self.rows):
            pq.write_table(pa.table({_ROW: self.rows, _IS_GONE: self.is_gone, **self.values}), path)

    @property
    def gone(self) -> IntArray:
        """Numbers of the rows that are gone, ascending."""
        return self.rows[self.is_gone]

    def numbers_of(self, positions: IntArray) -> IntArray:
        """Numbers among the rows of all files, of positions among those that are not gone."""
        before = self.gone - np.arange(int(self.is_gone.sum()))
        return positions + np.searchsorted(before, positions, side="right")

    def positions_of(self, numbers: IntArray) -> IntArray:
        """The other way round, for rows that are not gone."""
        return numbers - np.searchsorted(self.gone, numbers)

    def followed_by(self, gone: IntArray, changed: IntArray) -> Amendments:
        """These and later ones, without values.

        Args:
            gone: positions among the rows that were not gone before.
            changed: the same.
        """
        gone, changed = self.numbers_of(gone), self.numbers_of(changed)
        rows = np.unique(np.concatenate([self.rows, gone, changed]))
        is_gone = np.isin(rows, np.concatenate([self.gone, gone]))
        return Amendments(rows, is_gone)

    def with_values(self, columns: Mapping[str, npt.NDArray[Any]]) -> Amendments:
        """These with values of now.

        Args:
            columns: of all rows that are not gone, by name.
        """
        values = {}
        for name, column in columns.items():
            values[name] = np.zeros(len(self.rows), dtype=column.dtype)
            values[name][~self.is_gone] = column[self.positions_of(self.rows[~self.is_gone])]
        return Amendments(self.rows, self.is_gone, values)

    def applied(self, name: str, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A column of the rows that are not gone.

        Args:
            name: of the column.
            column: of all files, shape [N]; written to.
        """
        if name in self.values:
            column[self.rows[~self.is_gone]] = self.values[name][~self.is_gone]
        return np.delete(column, self.gone) if self.is_gone.any() else column
