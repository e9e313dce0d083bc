from pathlib import Path

import pytest
import torch

from recsys.export.onnx_export import export_encoder
from recsys.models.components.recency import Recency
from recsys.models.interface.protocols import Query
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.top_entries import nonzero
from recsys.models.onnx.item_item import (
    DenseRows,
    GatheredRows,
    SparseRows,
    SumOverHistory,
    padded,
    rows_of_weights,
)
from tests.models.onnx.model_queries import assert_scores_close, random_histories, run, served
from tests.models.small_data import histories_of

NUM_ITEMS = 400


def few_weights(share: float) -> InteractionMatrix:
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(NUM_ITEMS, NUM_ITEMS, generator=generator)
    return nonzero(weights * (torch.rand(NUM_ITEMS, NUM_ITEMS, generator=generator) < share))


def test_few_weights_stay_sparse_and_many_do_not():
    assert isinstance(rows_of_weights(few_weights(0.004)), SparseRows)
    assert isinstance(rows_of_weights(few_weights(0.5)), DenseRows)


def test_one_item_that_much_depends_on_makes_the_table_dense():
    weights = few_weights(0.004).dense()
    weights[:, 7] = 1.0
    assert isinstance(rows_of_weights(nonzero(weights)), DenseRows)


def test_a_catalogue_too_large_for_a_dense_table_is_looked_up(monkeypatch):
    monkeypatch.setattr("recsys.models.onnx.item_item.MAX_DENSE", 1000)
    assert isinstance(rows_of_weights(few_weights(0.5)), GatheredRows)


@pytest.mark.parametrize("rows", [SparseRows, GatheredRows])
def test_sparse_tables_are_the_same_in_onnx(rows, tmp_path: Path):
    encoder = SumOverHistory(rows(few_weights(0.02)), NUM_ITEMS, Recency(0.9))
    export_encoder(encoder, tmp_path / "encoder.onnx")
    query = served(Query(torch.full((3,), -1), random_histories([1, 80, 0], NUM_ITEMS, 1)))
    assert_scores_close(run(tmp_path / "encoder.onnx", query), encoder(query), 1e-6)


@pytest.mark.parametrize("recency", [Recency(), Recency(0.8, 0.9)])
def test_all_forms_give_the_same(recency):
    weights = few_weights(0.1)
    query = served(Query(torch.full((3,), -1), random_histories([1, 250, 0], NUM_ITEMS, 1)))
    rows = (DenseRows(weights.dense().T), SparseRows(weights), GatheredRows(weights))
    dense, sparse, gathered = (SumOverHistory(table, NUM_ITEMS, recency)(query) for table in rows)
    assert dense[2].isnan().all()
    assert_scores_close(sparse, dense, 1e-6)
    assert_scores_close(gathered, dense, 1e-6)


def test_no_weights_at_all_give_zeros():
    nothing = nonzero(torch.zeros(4, 4))
    query = served(Query(torch.tensor([-1]), histories_of([1, 2])))
    assert SumOverHistory(rows_of_weights(nothing), 4, Recency())(query).equal(torch.zeros(1, 4))


def test_rows_are_filled_up_with_no_column_and_zero():
    columns, values = padded(nonzero(torch.tensor([[0.0, 2.0, 3.0], [0.0, 0.0, 0.0]])))
    assert columns.tolist() == [[1, 2], [3, 3]]
    assert values.tolist() == [[2.0, 3.0], [0.0, 0.0]]
