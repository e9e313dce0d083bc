import numpy as np
import pyarrow.parquet as pq
from counted.interactions_file import PER_USER, write_interactions


def test_pairs_are_distinct_and_about_as_many_as_asked(tmp_path):
    written = write_interactions(tmp_path / "rows.parquet", 20_000, 1_000)
    table = pq.read_table(tmp_path / "rows.parquet")
    assert written == table.num_rows
    assert 18_000 < written <= 20_500
    keys = table["user_id"].to_numpy().astype(np.int64) * 1_000 + table["item_id"].to_numpy()
    assert len(np.unique(keys)) == written
    assert len(np.unique(table["user_id"])) == 20_000 // PER_USER


def test_the_same_seed_gives_the_same_file(tmp_path):
    for name in ("first", "second"):
        write_interactions(tmp_path / name, 2_000, 300, seed=3)
    assert pq.read_table(tmp_path / "first").equals(pq.read_table(tmp_path / "second"))
