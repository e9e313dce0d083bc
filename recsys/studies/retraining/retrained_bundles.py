"""The bundles that retraining makes: their names, whom they know, and how many are kept."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from recsys.data.columns import USER_ID
from recsys.data.readers.store.database import StoreDatabase
from recsys.runtime.bundle import USER_VOCABULARY

#: How their names begin; no other bundle is ever deleted.
PREFIX = "retrained-"


def new_bundle_name(now: datetime | None = None) -> str:
    """A name that sorts by time, such as ``retrained-20260131-120000``."""
    return f"{PREFIX}{(now or datetime.now(UTC)).strftime('%Y%m%d-%H%M%S')}"


def unwanted_users(bundle: Path, database: StoreDatabase) -> int:
    """How many users a bundle knows who may not, or no longer, be trained with: erased, merged, or without profiling.

    Args:
        bundle: its directory.
        database: of the service.

    Raises:
        SourceError: the database cannot be read.
    """
    known = set(pq.read_table(bundle / USER_VOCABULARY, columns=[USER_ID]).column(USER_ID).to_pylist())
    with database.snapshot() as connection:
        wanted = {user_id for (user_id,) in connection.exec_driver_sql("SELECT user_id FROM training_users")}
    return len(known - wanted)


def delete_old_bundles(directory: Path, keep: int, protected: Collection[str]) -> list[str]:
    """Delete the oldest bundles that retraining made, as long as there are more than ``keep``.

    Args:
        directory: of all bundles.
        keep: how many stay.
        protected: names of bundles that stay whatever their age.

    Returns:
        The names of those that were deleted, oldest first.
    """
    made = sorted(path for path in directory.glob(f"{PREFIX}*") if path.is_dir() and not path.is_symlink())
    old = [path for path in made[: max(0, len(made) - keep)] if path.name not in protected]
    for path in old:
        shutil.rmtree(path)
    return [path.name for path in old]
