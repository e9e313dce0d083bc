from pathlib import Path

import numpy as np
import pyarrow as pa

from recsys.data.preparation.returns import Returns
from recsys.data.preparation.streaming.partition_files import open_interactions
from recsys.data.preparation.streaming.partition_rules import PartitionResult, apply_rules
from recsys.data.vocabulary import Vocabulary

ITEMS = Vocabulary.from_ids(pa.array(["x", "y", "z"]), "item_id")
ROWS = pa.table(
    {
        "user_id": ["b", "a", "b", "b"],
        "item_id": ["z", "x", "z", "x"],
        "row": np.array([2, 5, 7, 9]),
        "timestamp": np.array([8, 1, 4, 4]),
        "weight": np.array([3, 1, 2, -1], dtype=np.float32),
    }
)


def test_returns_and_repeats_are_resolved_and_what_stays_keeps_its_number(tmp_path: Path) -> None:
    result, rated_items = apply_rules(ROWS, 3, ITEMS, "aggregate", has_subseconds=False, directory=tmp_path)
    assert result.user_ids.to_pylist() == ["b", "a"]
    assert rated_items.tolist() == [True, False, True]
    assert result.returns == Returns(removed=1, negative=1, in_excess=1)
    assert (result.num_without_returns, result.num_repeats) == (3, 1)
    assert result.columns == {"timestamp", "weight", "first_timestamp"}
    found = open_interactions(tmp_path, 3, 2, 3)
    assert found is not None
    assert (found[1].tolist(), found[0].item_index.tolist()) == ([2, 5], [2, 0])
    assert (found[0].weight.tolist(), found[0].first_timestamp.tolist()) == ([5, 1], [4, 1])


def test_a_partition_without_rows_adds_nothing() -> None:
    empty = PartitionResult.empty()
    assert (len(empty.user_ids), empty.returns, empty.num_repeats) == (0, Returns(), 0)
