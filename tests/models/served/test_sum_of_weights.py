import pytest
import torch

from recsys.models.interaction_matrix import InteractionMatrix
from recsys.models.protocols import Query
from recsys.models.recency import Recency
from recsys.models.served.sum_of_weights import DenseRows, SparseRows, SumOverHistory, padded, rows_of_weights
from recsys.models.strongest import nonzero
from tests.models.served.asked import assert_scores_close, random_histories, served
from tests.models.small_data import histories_of

NUM_ITEMS = 200


def few_weights(share: float) -> InteractionMatrix:
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(NUM_ITEMS, NUM_ITEMS, generator=generator)
    return nonzero(weights * (torch.rand(NUM_ITEMS, NUM_ITEMS, generator=generator) < share))


def test_few_weights_stay_sparse_and_many_do_not():
    assert isinstance(rows_of_weights(few_weights(0.02)), SparseRows)
    assert isinstance(rows_of_weights(few_weights(0.5)), DenseRows)


def test_one_item_that_much_depends_on_makes_the_table_dense():
    weights = few_weights(0.02).dense()
    weights[:, 7] = 1.0
    assert isinstance(rows_of_weights(nonzero(weights)), DenseRows)


@pytest.mark.parametrize("recency", [Recency(), Recency(0.8, 0.9)])
def test_sparse_and_dense_give_the_same(recency):
    weights = few_weights(0.1)
    query = served(Query(torch.full((3,), -1), random_histories([1, 250, 0], NUM_ITEMS, 1)))
    dense, sparse = (
        SumOverHistory(rows, NUM_ITEMS, recency)(query) for rows in (DenseRows(weights.dense().T), SparseRows(weights))
    )
    assert dense[2].isnan().all()
    assert_scores_close(sparse, dense, 1e-6)


def test_no_weights_at_all_give_zeros():
    nothing = nonzero(torch.zeros(4, 4))
    query = served(Query(torch.tensor([-1]), histories_of([1, 2])))
    assert SumOverHistory(rows_of_weights(nothing), 4, Recency())(query).equal(torch.zeros(1, 4))


def test_rows_are_filled_up_with_no_column_and_zero():
    columns, values = padded(nonzero(torch.tensor([[0.0, 2.0, 3.0], [0.0, 0.0, 0.0]])))
    assert columns.tolist() == [[1, 2], [3, 3]]
    assert values.tolist() == [[2.0, 3.0], [0.0, 0.0]]
