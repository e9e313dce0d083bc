"""The histories of all users in a file that is mapped and not read: processes share it through the page cache.

``histories.arrow`` is an uncompressed Arrow file with one row for each user, a list of structs: where each list begins
takes 8 bytes a user, an interaction 4 bytes for its item and, where there are any, 4 for its rating and 8 for its time.

Shape suffixes: U users, M interactions of all of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.data.columns import ITEM_INDEX, RATING, TIMESTAMP
from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.types import IntArray

_HISTORY = "history"
#: Columns of an interaction, in this order, and their types; all but the first may be missing.
_TYPES = {ITEM_INDEX: pa.int32(), RATING: pa.float32(), TIMESTAMP: pa.int64()}


def write_history_file(
    offsets: IntArray,
    items: npt.NDArray[np.int32],
    rating: npt.NDArray[np.float32] | None,
    timestamp: IntArray | None,
    path: Path,
) -> None:
    """Write histories, oldest first.

    Args:
        offsets: where the history of each user begins, shape [U + 1], int64, from 0 to M.
        items: internal item indices, shape [M], int32.
        rating: shape [M], float32, or None.
        timestamp: shape [M], int64, or None.
        path: the Arrow file.
    """
    given = dict(zip(_TYPES, (items, rating, timestamp), strict=True))
    columns = {name: pa.array(values, _TYPES[name]) for name, values in given.items() if values is not None}
    fields = [pa.field(name, _TYPES[name], nullable=False) for name in columns]
    structs = pa.StructArray.from_arrays(list(columns.values()), fields=fields)
    lists = pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), structs)
    batch = pa.record_batch([lists], names=[_HISTORY])
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)


def map_histories(path: Path, num_users: int) -> RaggedItems:
    """What :func:`write_history_file` wrote, mapped; ``items`` are int32, and int64 in what is taken of them.

    Args:
        path: the Arrow file.
        num_users: U.

    Raises:
        ValueError: it is no such file, damaged, or of other users; pyarrow's own errors are among these.
        OSError: it cannot be read.
    """
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
        if reader.schema.names != [_HISTORY] or reader.num_record_batches != 1:
            raise ValueError(f"a column {_HISTORY} in one piece is required, but it has {reader.schema.names}")
        lists = reader.get_batch(0).column(0)
    structs = lists.type.value_type if pa.types.is_large_list(lists.type) else pa.null()
    names = [structs.field(place).name for place in range(structs.num_fields)] if pa.types.is_struct(structs) else []
    if names[:1] != [ITEM_INDEX] or any(structs.field(name).type != _TYPES.get(name) for name in names):
        raise ValueError(f"lists of {ITEM_INDEX}, {RATING} and {TIMESTAMP} are required, but it has {lists.type}")
    lists.validate(full=True)
    if len(lists) != num_users or lists.null_count:
        raise ValueError(f"a history for each of {num_users:,} users is required, but it has {len(lists):,} lists")
    columns: dict[str, Any] = {
        name: lists.values.field(place).to_numpy(zero_copy_only=True) for place, name in enumerate(names)
    }
    return RaggedItems(
        lists.offsets.to_numpy(zero_copy_only=True),
        cast(IntArray, columns[ITEM_INDEX]),
        columns.get(RATING),
        columns.get(TIMESTAMP),
    )
