"""The interactions of a prepared directory, in the order and the form in which they are imported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.data.columns import ITEM_ID, ITEM_INDEX, RATING, SUBSECOND_NS, TIMESTAMP, USER_ID, USER_INDEX, WEIGHT
from recsys.data.interaction_files import stored_interactions
from recsys.data.prepared_files import ITEM_VOCABULARY_FILE, USER_VOCABULARY_FILE
from recsys.errors import PreparedDataError
from recsys_serving.store.schema.partitions import check_moment

#: The moment of interactions without timestamps, where nothing else is said.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ImportedRows:
    """Interactions in the order in which they are stored: by year, user and time.

    Rows of one user that lie side by side are read with few pages.

    Args:
        user_index: shape [N].
        item_index: shape [N].
        microseconds: since 1970, shape [N], int64.
        value: ratings or weights, shape [N]; or None.
        occurrence: how many rows before say the same, shape [N].
        order: rows in the order in which they are stored, shape [N].
        user_ids: the id of each user index.
        item_ids: the id of each item index.
    """

    user_index: npt.NDArray[Any]
    item_index: npt.NDArray[Any]
    microseconds: npt.NDArray[np.int64]
    value: npt.NDArray[Any] | None
    occurrence: npt.NDArray[np.int64]
    order: npt.NDArray[np.int64]
    user_ids: pa.Array
    item_ids: pa.Array

    @classmethod
    def read(cls, directory: Path, without_time: datetime) -> ImportedRows:
        """The interactions of a prepared directory."""
        columns = stored_interactions(directory)
        user_index, item_index = columns[USER_INDEX], columns[ITEM_INDEX]
        microseconds = _microseconds(columns, len(user_index), without_time)
        years = microseconds.view("datetime64[us]").astype("datetime64[Y]").view(np.int64)
        return cls(
            user_index=user_index,
            item_index=item_index,
            microseconds=microseconds,
            value=columns.get(RATING, columns.get(WEIGHT)),
            occurrence=_occurrences(user_index, item_index),
            order=np.lexsort((microseconds, user_index, years)),
            user_ids=_ids(directory, USER_VOCABULARY_FILE, USER_ID),
            item_ids=_ids(directory, ITEM_VOCABULARY_FILE, ITEM_ID),
        )

    def months(self) -> list[datetime]:
        """A moment of each month that has interactions."""
        months = np.unique(self.microseconds.view("datetime64[us]").astype("datetime64[M]"))
        return [month.astype(datetime).replace(tzinfo=UTC) for month in months.astype("datetime64[us]")]

    def chunks(self, size: int) -> Iterator[pa.Table]:
        """Tables of up to ``size`` rows, as they are copied."""
        for start in range(0, len(self.order), size):
            rows = self.order[start : start + size]
            value = None if self.value is None else self.value[rows]
            yield pa.table(
                {
                    "number": np.arange(len(rows)),
                    "user_id": self.user_ids.take(pa.array(self.user_index[rows])),
                    "item_id": self.item_ids.take(pa.array(self.item_index[rows])),
                    "microseconds": self.microseconds[rows],
                    "value": pa.nulls(len(rows), pa.float64()) if value is None else pa.array(value),
                    "occurrence": self.occurrence[rows],
                }
            )


def _microseconds(
    columns: Mapping[str, npt.NDArray[Any]], num_rows: int, without_time: datetime
) -> npt.NDArray[np.int64]:
    if TIMESTAMP not in columns:
        constant = (check_moment(without_time) - EPOCH) // timedelta(microseconds=1)
        return np.full(num_rows, constant, dtype=np.int64)
    microseconds = columns[TIMESTAMP].astype(np.int64) * 1_000_000
    if SUBSECOND_NS in columns:
        microseconds += columns[SUBSECOND_NS].astype(np.int64) // 1000
    return microseconds


def _occurrences(user_index: npt.NDArray[Any], item_index: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """How many rows before have the same user and item, shape [N]: rows that say the same are still told apart."""
    pairs = user_index.astype(np.int64) * (int(item_index.max(initial=0)) + 1) + item_index
    order = np.argsort(pairs, kind="stable")
    starts = np.flatnonzero(np.diff(pairs[order], prepend=-1))
    occurrence = np.empty(len(pairs), dtype=np.int64)
    occurrence[order] = np.arange(len(pairs)) - np.repeat(starts, np.diff(starts, append=len(pairs)))
    return occurrence


def _ids(directory: Path, name: str, column: str) -> pa.Array:
    return read_prepared_table(directory, name).column(column).cast(pa.string()).combine_chunks()


def read_prepared_table(directory: Path, name: str) -> pa.Table:
    """A table of a prepared directory.

    Raises:
        PreparedDataError: it is missing or damaged.
    """
    try:
        return pq.read_table(directory / name)
    except (OSError, pa.ArrowException) as error:
        raise PreparedDataError(
            f"{directory / name} is missing or damaged ({error}). Prepare the data again."
        ) from None
