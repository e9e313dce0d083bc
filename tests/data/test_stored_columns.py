import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.data.columns import FOLD, FOLDS, ITEM_INDEX, RATING, USER_INDEX
from recsys.data.stored_columns import COLUMN_TYPES, read_columns


def test_columns_are_read_in_the_types_of_interactions(tmp_path):
    folds = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), pa.array(FOLDS))
    table = pa.table({USER_INDEX: [3, 1], ITEM_INDEX: [0, 2], RATING: [4.5, 1.0], FOLD: folds})
    pq.write_table(table, tmp_path / "some.parquet")
    with pq.ParquetFile(tmp_path / "some.parquet") as file:
        columns = read_columns(file, [USER_INDEX, RATING, FOLD])
    assert {name: column.dtype for name, column in columns.items()} == {
        name: np.dtype(COLUMN_TYPES[name]) for name in (USER_INDEX, RATING, FOLD)
    }
    assert {name: column.tolist() for name, column in columns.items()} == {
        USER_INDEX: [3, 1],
        RATING: [4.5, 1.0],
        FOLD: [0, 1],
    }
