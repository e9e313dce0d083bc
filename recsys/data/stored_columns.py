"""Reads the columns of ``interactions.parquet`` as arrays of :class:`~recsys.data.interactions.Interactions`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.data.columns import FOLD, FOLDS, ITEM_INDEX, RATING, TIMESTAMP, USER_INDEX
from recsys.data.row_numbers import BLOCK_ROWS
from recsys.data.schema import FURTHER_COLUMNS

#: Type of each column of :class:`~recsys.data.interactions.Interactions`.
COLUMN_TYPES: Mapping[str, type[np.generic]] = MappingProxyType(
    {
        USER_INDEX: np.int32,
        ITEM_INDEX: np.int32,
        RATING: np.float32,
        TIMESTAMP: np.int64,
        FOLD: np.int8,
        **dict(zip(FURTHER_COLUMNS, (np.float32, np.int32, np.int64), strict=True)),
    }
)


def read_columns(
    file: pq.ParquetFile, names: Sequence[str], directory: Path | None = None
) -> dict[str, npt.NDArray[Any]]:
    """Columns of a table, one after the other and in pieces, so that nothing but the columns takes memory.

    Args:
        file: an open ``interactions.parquet``.
        names: of its columns, keys of :data:`COLUMN_TYPES`.
        directory: where the columns are kept in files that are mapped, for those that may not fit into memory; None to
            keep them in memory.

    Returns:
        Shape [N] each, of the type in :data:`COLUMN_TYPES`.
    """
    columns = {}
    for name in names:
        shape, dtype = (file.metadata.num_rows,), COLUMN_TYPES[name]
        column: npt.NDArray[Any]
        if directory is None:
            column = np.empty(shape, dtype)
        else:
            column = np.memmap(directory / f"{name}.column", dtype, "w+", shape=shape)
        start = 0
        for batch in file.iter_batches(batch_size=BLOCK_ROWS, columns=[name]):
            values = batch.column(0)
            if name == FOLD:
                values = pc.index_in(values.cast(pa.string()), value_set=pa.array(FOLDS))
            column[start : start + len(values)] = values.to_numpy(zero_copy_only=False)
            start += len(values)
        columns[name] = column
    return columns
