"""List columns, which hold several values in a row."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def gather_lists(rows: npt.NDArray[np.int64], values: pa.Array, num_rows: int) -> pa.ListArray:
    """Gather values into one list for each row; a row without values has an empty list.

    Args:
        rows: the row of each value, shape [M], ascending.
        values: M strings.
        num_rows: length of the result.
    """
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=num_rows))])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values.cast(pa.string()))


def split_strings(column: pa.ChunkedArray, separator: str, missing: str = "") -> pa.ListArray:
    """Split each string at ``separator``; empty parts, and parts that equal ``missing``, are left out."""
    texts = pc.fill_null(column.cast(pa.string()), "")
    parts = pc.split_pattern(texts, separator)
    if isinstance(parts, pa.ChunkedArray):
        parts = parts.combine_chunks()
    rows, values = pc.list_parent_indices(parts).to_numpy(), pc.list_flatten(parts)
    kept = pc.and_(pc.not_equal(values, ""), pc.not_equal(values, missing))
    return gather_lists(rows[kept.to_numpy(zero_copy_only=False)], values.filter(kept), len(column))
