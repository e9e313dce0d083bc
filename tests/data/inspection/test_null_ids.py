import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from recsys.data.inspection.null_ids import (
    NULL_WORDS,
    count_null_ids,
    null_ids_as_missing,
    warn_of_null_ids,
)
from recsys.data.raw import RawDataset
from recsys.errors import DataWarning


def test_all_that_pandas_reads_as_missing_is_among_the_words(tmp_path):
    (tmp_path / "ids.csv").write_text("id,n\n" + "".join(f"{word},1\n" for word in NULL_WORDS))
    kept = pd.read_csv(tmp_path / "ids.csv").id.dropna().tolist()
    assert set(kept) <= {"NAN", "NaT", "Null", "NONE", "none"}  # other spellings of the same


def test_ids_that_are_such_words_are_counted():
    ids = pa.array(["1", "NaN", "null", "Nancy", "NA"])
    assert count_null_ids(ids, np.array([1, 0, 1, 4, 3])) == {"NaN": 2, "NA": 1}


def test_they_are_told_with_their_interactions():
    with pytest.warns(
        DataWarning, match=r"^Some users have .*: 'NaN' \(1,200 interactions\), 'NA' \(1 interaction\)\. Do"
    ):
        warn_of_null_ids({"NaN": 1200, "NA": 1}, "users", "Do this.")


def test_where_there_are_none_nothing_is_told():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_null_ids({}, "users", "")


def test_they_are_missing_in_all_tables():
    raw = RawDataset(
        name="x",
        interactions=pa.table({"user_id": ["a", "nan"], "item_id": ["NULL", "x"]}),
        users=pa.table({"user_id": ["nan", "a"]}),
        items=pa.table({"item_id": ["x", "None"]}),
    )
    read = null_ids_as_missing(raw)
    assert read.interactions.to_pydict() == {"user_id": ["a", None], "item_id": [None, "x"]}
    assert read.users is not None and read.users["user_id"].to_pylist() == [None, "a"]
    assert read.items is not None and read.items["item_id"].to_pylist() == ["x", None]
