import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.interactions import Interactions
from recsys.data.preparation.cleaning import k_core
from recsys.data.preparation.streaming.executor import InProcess
from recsys.data.preparation.streaming.partition_files import save_interactions
from recsys.data.preparation.streaming.partitioned import PartitionedInteractions
from recsys.data.preparation.streaming.partitioned_core import k_core_of_partitions
from recsys.errors import DataError
from tests.data.preparation.made_interactions import NUM_ITEMS, NUM_USERS, PAIRS, make


def divided(rows: Interactions, directory: Path, columns: frozenset[str]) -> PartitionedInteractions:
    """Users by whether their number is odd; each partition numbers them as all do."""
    for partition in range(2):
        own = np.flatnonzero(rows.user_index % 2 == partition)
        save_interactions(directory, partition, rows.take(own), own)
    return PartitionedInteractions(directory, (NUM_USERS, NUM_USERS), NUM_ITEMS, columns)


@given(PAIRS, st.data(), st.integers(1, 4), st.integers(1, 4))
def test_the_core_is_that_of_all_interactions(
    pairs: list[tuple[int, int]], data: st.DataObject, users_need: int, items_need: int
) -> None:
    ratings = data.draw(st.lists(st.sampled_from([1.0, 2.0, 3.0]), min_size=len(pairs), max_size=len(pairs)))
    rows = make(pairs, rating=ratings)
    expected, rule = k_core(rows, users_need, items_need, positive_threshold=2.0)
    with tempfile.TemporaryDirectory() as directory:
        parts = divided(rows, Path(directory), frozenset({"rating"}))
        found = k_core_of_partitions(parts, users_need, items_need, 2.0, InProcess())
        kept = [own[found.core.keeps(partition, part)] for partition, part, own in parts]
    assert sorted(np.concatenate(kept).tolist()) == expected.tolist()
    assert (found.rule, found.num_interactions) == (rule, len(expected))
    left = rows.take(expected)
    assert np.flatnonzero(found.items).tolist() == sorted(set(left.item_index.tolist()))
    assert np.flatnonzero(found.users[0] | found.users[1]).tolist() == sorted(set(left.user_index.tolist()))


def test_a_given_split_is_not_filtered(tmp_path: Path) -> None:
    parts = divided(make([(0, 0)], fold=[0]), tmp_path, frozenset({"fold"}))
    with pytest.raises(DataError, match=r"already split, and min_user_interactions=2"):
        k_core_of_partitions(parts, 2, 1, None, InProcess())
