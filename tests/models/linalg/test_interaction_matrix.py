from dataclasses import replace

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.data.user_items import UserItems
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.top_entries import nonzero

PAIRS = UserItems(torch.tensor([0, 0, 2, 2]), torch.tensor([2, 0, 1, 2]), num_users=3, num_items=4)
DENSE = torch.tensor([[1.0, 0, 1, 0], [0, 0, 0, 0], [0, 1, 1, 0]])


def histories(*rows: list[int]) -> Histories:
    counts = torch.tensor([0, *(len(row) for row in rows)])
    items = torch.tensor([item for row in rows for item in row], dtype=torch.int64)
    return Histories(counts.cumsum(0), items, None, None)


def test_a_row_for_each_user_and_a_column_for_each_item():
    assert InteractionMatrix.from_user_items(PAIRS).dense().equal(DENSE)


def test_a_row_for_each_history():
    assert InteractionMatrix.from_histories(histories([2, 0], [], [1, 2]), 4).dense().equal(DENSE)


def test_an_item_that_occurs_again_keeps_its_largest_weight():
    weights = torch.tensor([0.5, 0.25, 1.0])
    matrix = InteractionMatrix.from_histories(histories([1, 0, 1]), 2, weights)
    assert matrix.dense().tolist() == [[0.25, 1.0]]


def test_a_repeated_item_is_stored_as_often_and_counts_once():
    matrix = InteractionMatrix.once_each(histories([2, 0, 2], [], [1]), 3)
    assert matrix.offsets.tolist() == [0, 3, 3, 4]
    assert (matrix.columns.tolist(), matrix.values.tolist()) == ([0, 2, 2, 1], [1, 1, 0, 1])
    assert matrix.row_sums().tolist() == [2, 0, 1]
    assert InteractionMatrix.once_each(histories(), 0).columns.shape == (0,)


def test_slices_and_transposes():
    matrix = InteractionMatrix.from_user_items(PAIRS)
    assert matrix.slice(1, 3).dense().equal(DENSE[1:3])
    assert matrix.transpose().dense().equal(DENSE.T)
    assert matrix.counts.tolist() == [2, 0, 2]
    assert matrix.column_counts().tolist() == [1, 1, 2, 0]


def test_lengths_and_normalisation_of_rows():
    matrix = InteractionMatrix.from_user_items(PAIRS).with_values(torch.tensor([3.0, -1.0, 0.0, 0.0]))
    assert matrix.squared_lengths().tolist() == [10, 0, 0]
    # 3 / (3 + 1) and -1 / (3 + 1); the row of zeros stays
    assert matrix.normalized().dense().tolist() == [[0.75, 0, -0.25, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_of_nobody():
    matrix = InteractionMatrix.from_histories(histories(), 3)
    assert matrix.dense().shape == (0, 3)
    assert matrix.transpose().dense().shape == (3, 0)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**31))
def test_products_are_those_of_the_dense_matrix(num_rows, num_columns, seed):
    random = np.random.default_rng(seed)
    lists = [random.integers(num_columns, size=random.integers(0, 5)).tolist() for _ in range(num_rows)]
    given_histories = histories(*lists)
    weights = torch.from_numpy(random.random(len(given_histories.items))).float()
    matrix = InteractionMatrix.from_histories(given_histories, num_columns, weights)
    other = torch.from_numpy(random.standard_normal((num_columns, 2))).float()
    torch.testing.assert_close(matrix @ other, matrix.dense() @ other)
    torch.testing.assert_close(matrix @ other.T.contiguous().T, matrix.dense() @ other)
    left = torch.from_numpy(random.standard_normal((num_rows, 2))).float()
    at_values = (left @ other.T)[matrix.rows, matrix.columns]
    torch.testing.assert_close(matrix.products_at_values(left, other), at_values)
    expected = np.zeros((num_rows, num_columns), dtype=np.float32)
    place = 0
    for row, items in enumerate(lists):
        for item in items:
            expected[row, item] = max(expected[row, item], weights[place])
            place += 1
    np.testing.assert_array_equal(matrix.dense().numpy(), expected)


def test_weights_of_a_pair_are_added_up():
    users, items = (np.array(column, dtype=np.int32) for column in ([1, 0, 1, 1], [2, 1, 2, 0]))
    plain = Interactions(users, items, None, None, None, 3, 3)
    assert InteractionMatrix.from_interactions(plain).dense().tolist() == [[0, 1, 0], [1, 0, 1], [0, 0, 0]]
    weighted = InteractionMatrix.from_interactions(replace(plain, weight=np.array([2, 5, 0.5, 1], dtype=np.float32)))
    assert weighted.dense().tolist() == [[0, 5, 0], [1, 0, 2.5], [0, 0, 0]]
    assert (weighted.row_sums().tolist(), weighted.column_sums().tolist()) == ([5, 3.5, 0], [1, 5, 2.5])


@given(st.integers(1, 8), st.integers(1, 12), st.sampled_from([0.0, 0.3, 1.0]), st.integers(0, 99))
def test_single_values_and_rows_are_those_of_the_dense_matrix(num_rows, num_columns, density, seed):
    random = np.random.default_rng(seed)
    values = random.standard_normal((num_rows, num_columns)) * (random.random((num_rows, num_columns)) < density)
    matrix = nonzero(torch.from_numpy(values).float())
    rows, columns = torch.arange(num_rows)[:, None], torch.arange(num_columns)
    assert matrix.at(rows, columns).equal(matrix.dense())
    taken = torch.from_numpy(random.integers(num_rows, size=5))
    assert matrix.take(taken).dense().equal(matrix.dense()[taken])
    assert matrix.take(taken[:0]).dense().shape == (0, num_columns)


def test_the_matrix_of_scipy_shares_the_values():
    matrix = nonzero(torch.tensor([[0.0, 2.0, 0.0], [1.0, 0.0, -3.0]]))
    assert matrix.scipy().toarray().tolist() == matrix.dense().tolist()
    matrix.values[0] = 5.0
    assert matrix.scipy().toarray()[0, 1] == 5.0
    assert matrix.transpose().dense().equal(matrix.dense().T)
