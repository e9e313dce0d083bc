from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.readers.lists import gather_lists, split_strings


def test_gathers_values_of_each_row() -> None:
    lists = gather_lists(np.array([0, 0, 2]), pa.array(["a", "b", "c"]), 4)
    assert lists.to_pylist() == [["a", "b"], [], ["c"], []]


def test_splits_and_leaves_out_missing_values() -> None:
    column = pa.chunked_array([pa.array(["a|b", "", None]), pa.array(["(none)", "|c|"])])
    assert split_strings(column, "|", missing="(none)").to_pylist() == [["a", "b"], [], [], [], ["c"]]


@given(st.lists(st.lists(st.text(alphabet="ab "), max_size=3)))
def test_splitting_undoes_joining(rows: list[list[str]]) -> None:
    column = pa.chunked_array([pa.array(["|".join(row) for row in rows], pa.string())])
    assert split_strings(column, "|").to_pylist() == [[part for part in row if part] for row in rows]
