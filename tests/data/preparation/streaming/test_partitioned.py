from pathlib import Path

import numpy as np

from recsys.data.preparation.streaming.partition_files import save_interactions
from recsys.data.preparation.streaming.partitioned import PartitionedInteractions
from tests.data.preparation.made_interactions import listed, make


def test_each_partition_has_the_columns_that_any_has(tmp_path: Path) -> None:
    save_interactions(tmp_path, 0, make([(0, 0)], timestamp=[7]), np.array([3]))
    save_interactions(tmp_path, 2, make([(1, 1)], timestamp=[9], weight=[2]), np.array([1]))
    parts = PartitionedInteractions(tmp_path, (1, 0, 2), 5, frozenset({"timestamp", "weight", "first_timestamp"}))
    found = [(number, listed(part.weight), listed(part.first_timestamp), rows.tolist()) for number, part, rows in parts]
    assert found == [(0, [1], [7], [3]), (2, [2], [9], [1])]
    assert (len(parts), parts.open(1)) == (3, None)
