import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.models.linalg.top_entries import nonzero, of_columns, top_entries, vstack

VALUES = torch.tensor([[0.5, -2.0, 0.0, 1.0], [0.0, 0.0, 0.0, 3.0]])


def test_keeps_the_largest_magnitudes_and_no_zeros():
    kept = top_entries(VALUES, 2)
    assert kept.dense().tolist() == [[0, -2, 0, 1], [0, 0, 0, 3]]
    assert kept.counts.tolist() == [2, 1]
    assert kept.columns.tolist() == [1, 3, 3]


def test_may_be_asked_for_more_than_there_are():
    assert top_entries(VALUES, 9).dense().equal(VALUES)


def test_of_equal_magnitudes_the_first_columns_are_kept():
    values = torch.tensor([[0.5, -1.0, 1.0, 1.0], [-2.0, 2.0, -2.0, 0.0]])
    assert top_entries(values, 2).dense().tolist() == [[0, -1, 1, 0], [-2, 2, 0, 0]]


def test_what_is_not_zero():
    assert nonzero(VALUES).dense().equal(VALUES)
    assert nonzero(VALUES).columns.tolist() == [0, 1, 3, 3]


@given(st.integers(1, 8), st.integers(1, 5), st.integers(0, 99))
def test_blocks_stack_to_the_whole(num_rows, num_kept, seed):
    values = torch.randn(num_rows, 5, generator=torch.Generator().manual_seed(seed))
    blocks = vstack([top_entries(block, num_kept) for block in values.split(3)])
    whole = top_entries(values, num_kept)
    assert blocks.dense().equal(whole.dense())
    assert blocks.offsets.equal(whole.offsets)


def test_entries_of_columns_are_those_of_rows_of_the_transposed_matrix():
    values = torch.randn(30, 600, generator=torch.Generator().manual_seed(0))
    kept = of_columns(values, lambda rows: top_entries(rows, 4))
    assert kept.dense().equal(top_entries(values.T.contiguous(), 4).dense())
    assert (len(kept), kept.num_columns) == (600, 30)
