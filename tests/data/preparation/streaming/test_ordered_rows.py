import resource
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from recsys.data.interactions import Interactions
from recsys.data.preparation.streaming.executor import InProcess
from recsys.data.preparation.streaming.ordered_rows import OrderedRows
from recsys.data.preparation.streaming.partition_files import save_interactions
from recsys.data.preparation.streaming.partitioned import PartitionedInteractions
from recsys.data.preparation.streaming.partitioned_core import Core
from recsys.data.preparation.totals import InteractionTotals

NUM_ROWS, NUM_USERS, NUM_ITEMS, NUM_PARTS = 500, 40, 7, 3


def made(by_time: bool) -> Interactions:
    generator = np.random.default_rng(3)
    return Interactions(
        user_index=generator.integers(0, NUM_USERS, NUM_ROWS).astype(np.int32),
        item_index=generator.integers(0, NUM_ITEMS, NUM_ROWS).astype(np.int32),
        rating=np.arange(NUM_ROWS, dtype=np.float32),
        timestamp=generator.integers(0, 60, NUM_ROWS),
        fold=None,
        num_users=NUM_USERS,
        num_items=NUM_ITEMS,
        subsecond_ns=generator.integers(0, 2, NUM_ROWS).astype(np.int32) if by_time else None,
    )


@pytest.mark.parametrize("by_time", [False, True])
@pytest.mark.parametrize("block_rows", [1, 37, 10_000])
def test_blocks_have_all_that_stays_in_one_order(by_time: bool, block_rows: int, tmp_path: Path) -> None:
    rows = made(by_time)
    order = np.argsort(rows.moments, kind="stable") if by_time else np.arange(NUM_ROWS)
    for partition in range(NUM_PARTS):
        own = order[rows.user_index[order] % NUM_PARTS == partition]
        save_interactions(tmp_path, partition, rows.take(own), own)
    columns = {"rating", "timestamp", *(["subsecond_ns"] if by_time else [])}
    parts = PartitionedInteractions(tmp_path, (NUM_USERS,) * NUM_PARTS, NUM_ITEMS, frozenset(columns))
    core = Core([np.arange(NUM_USERS) % 5 > 0] * NUM_PARTS, np.arange(NUM_ITEMS) != 2)
    kept = order[core.keeps(0, rows.take(order))]
    user_index = [np.arange(NUM_USERS, dtype=np.int32)[::-1]] * NUM_PARTS
    item_index = np.arange(NUM_ITEMS, dtype=np.int32) + 10
    ordered = OrderedRows(
        parts, core, user_index, item_index, (NUM_USERS, NUM_ITEMS + 10), NUM_ROWS, len(kept), block_rows
    )
    totals = InteractionTotals(None)
    ordered.write(tmp_path / "i.parquet", totals, InProcess())
    table = pq.read_table(tmp_path / "i.parquet")
    assert table["rating"].to_pylist() == kept.tolist()
    assert table["user_index"].to_pylist() == (NUM_USERS - 1 - rows.user_index[kept]).tolist()
    assert table["item_index"].to_pylist() == (rows.item_index[kept] + 10).tolist()
    assert totals.num_interactions == len(kept)
    assert ordered.num_pairs(InProcess()) == len(np.unique(rows.pairs[kept]))


def test_not_all_partitions_are_open_at_once(tmp_path: Path) -> None:
    num_parts = 50
    rows = replace(made(False), user_index=np.arange(NUM_ROWS, dtype=np.int32) % num_parts, num_users=num_parts)
    for partition in range(num_parts):
        own = np.flatnonzero(rows.user_index == partition)
        save_interactions(tmp_path, partition, rows.take(own), own)
    parts = PartitionedInteractions(tmp_path, (num_parts,) * num_parts, NUM_ITEMS, frozenset({"rating", "timestamp"}))
    core = Core([np.ones(num_parts, dtype=np.bool_)] * num_parts, np.ones(NUM_ITEMS, dtype=np.bool_))
    index = [np.arange(num_parts, dtype=np.int32)] * num_parts
    items = np.arange(NUM_ITEMS, dtype=np.int32)
    ordered = OrderedRows(parts, core, index, items, (num_parts, NUM_ITEMS), NUM_ROWS, NUM_ROWS)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + 20, hard))
    try:
        (block,) = ordered.blocks(InProcess())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert block.rating is not None and block.rating.tolist() == list(range(NUM_ROWS))
