"""Writes a Parquet file of synthetic interactions in pieces, so that its size is not bounded by memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

#: Interactions of a user on average, as in MovieLens 20M.
PER_USER = 144
_USERS_AT_ONCE = 5_000
_START_SECONDS, _END_SECONDS = 1_500_000_000, 1_600_000_000
_SCHEMA = pa.schema(
    [("user_id", pa.int32()), ("item_id", pa.int32()), ("rating", pa.float32()), ("timestamp", pa.int64())]
)


def write_interactions(path: Path, num_interactions: int, num_items: int, seed: int = 0) -> int:
    """Write distinct pairs of users, whose activity is log-normal, and items, whose popularity falls as a power law.

    Args:
        path: the Parquet file.
        num_interactions: about so many; of ``num_interactions / PER_USER`` users.
        num_items: size of the catalogue.
        seed: of the random numbers.

    Returns:
        How many interactions there are.
    """
    generator = np.random.default_rng(seed)
    num_users = max(num_interactions // PER_USER, 1)
    popularity = np.cumsum((generator.permutation(num_items) + 10.0) ** -0.7)
    activity = np.clip(generator.lognormal(4.5, 1.0, num_users), 10, num_items / 10)
    wanted = np.maximum((activity * (num_interactions / activity.sum())).astype(np.int64), 5)
    written = 0
    with pq.ParquetWriter(path, _SCHEMA) as writer:
        for first in range(0, num_users, _USERS_AT_ONCE):
            users, items = _pairs(generator, wanted[first : first + _USERS_AT_ONCE], popularity / popularity[-1])
            columns = [
                (first + users).astype(np.int32),
                items.astype(np.int32),
                generator.integers(1, 6, len(users)).astype(np.float32),
                generator.integers(_START_SECONDS, _END_SECONDS, len(users)),
            ]
            writer.write_table(pa.table(columns, schema=_SCHEMA))
            written += len(users)
    return written


def write_copies(drawn: Path, path: Path, copies: int) -> None:
    """Write the interactions of a file several times, each time of other users.

    Args:
        drawn: what :func:`write_interactions` wrote.
        path: the new file.
        copies: how often.
    """
    with pq.ParquetFile(drawn) as file, pq.ParquetWriter(path, _SCHEMA) as writer:
        statistics = [file.metadata.row_group(group).column(0).statistics for group in range(file.num_row_groups)]
        num_users = max(one.max for one in statistics) + 1
        for copy in range(copies):
            for batch in file.iter_batches(batch_size=1 << 20):
                users = pa.array(batch.column("user_id").to_numpy() + np.int32(copy * num_users))
                writer.write_table(pa.table([users, *batch.columns[1:]], schema=_SCHEMA))


def _pairs(
    generator: np.random.Generator, wanted: npt.NDArray[np.int64], popularity: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Distinct pairs, at most ``wanted`` of each user; somewhat more are drawn, as some are drawn twice."""
    drawn = np.repeat(np.arange(len(wanted)), wanted * 5 // 4 + 3)
    keys = np.unique(drawn * len(popularity) + np.searchsorted(popularity, generator.random(len(drawn))))
    keys = keys[generator.permutation(len(keys))]
    keys = keys[np.argsort(keys // len(popularity), kind="stable")]
    users = keys // len(popularity)
    kept = np.arange(len(keys)) - np.searchsorted(users, users) < wanted[users]
    return users[kept], keys[kept] % len(popularity)
