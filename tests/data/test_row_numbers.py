import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.row_numbers import blocks, compact_rows, count_each, row_dtype, rows_among, user_blocks


@pytest.mark.parametrize(("num_rows", "dtype"), [(0, np.int32), (2**31 - 1, np.int32), (2**31, np.int64)])
def test_positions_take_four_bytes_as_long_as_they_fit(num_rows: int, dtype: type) -> None:
    assert row_dtype(num_rows) is dtype
    assert compact_rows(np.array([0, 5]), num_rows).dtype == dtype


def test_rows_of_the_right_type_are_not_copied() -> None:
    rows = np.arange(3, dtype=np.int32)
    assert compact_rows(rows, 3) is rows


def test_blocks_cover_all_rows_in_order() -> None:
    assert [(rows.start, rows.stop) for rows in blocks(7, 3)] == [(0, 3), (3, 6), (6, 7)]
    assert list(blocks(0)) == []


@given(counts=st.lists(st.integers(0, 6), max_size=12), size=st.integers(1, 8))
def test_blocks_of_users_are_whole_and_as_large_as_allowed(counts: list[int], size: int) -> None:
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    found = list(user_blocks(offsets, size))
    assert [user for first, last in found for user in range(first, last)] == list(range(len(counts)))
    for first, last in found:
        assert offsets[last] - offsets[first] <= size or last == first + 1


@given(index=st.lists(st.integers(0, 4), max_size=20))
def test_counts_are_those_of_each_number(index: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recsys.data.row_numbers.BLOCK_ROWS", 3)
        counts = count_each(np.array(index, dtype=np.int32), 5)
    assert counts.tolist() == [index.count(number) for number in range(5)]


@given(rows=st.lists(st.integers(0, 9), unique=True), others=st.lists(st.integers(0, 9)))
def test_rows_among_others_are_those_that_are_in_both(rows: list[int], others: list[int]) -> None:
    found = rows_among(np.array(rows, dtype=np.int32), np.array(others, dtype=np.int32), 10)
    assert found.dtype == np.int32
    assert found.tolist() == sorted(set(rows) & set(others))
