import pytest
import torch

from recsys.models.components.item_weights import DenseItemWeights, SparseItemWeights
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.top_entries import nonzero
from tests.models.small_data import histories_of

#: From item j (row) to item i (column).
WEIGHTS = torch.tensor([[0.0, 2.0, 0.0], [1.0, 0.0, -1.0], [0.0, 0.5, 0.0]])


def sparse() -> SparseItemWeights:
    weights = SparseItemWeights(3)
    weights.set_weights(nonzero(WEIGHTS.T))
    return weights


def full() -> DenseItemWeights:
    weights = DenseItemWeights(3)
    weights.set_weights(WEIGHTS)
    return weights


@pytest.mark.parametrize("weights", [sparse(), full()])
def test_scores_are_weighted_sums_over_the_history(weights):
    histories = InteractionMatrix.from_histories(histories_of([0, 2], [1], []), 3, torch.tensor([1.0, 0.5, 2.0]))
    scores = weights.score(histories)
    # item 1 for the first: 1 * 2 + 0.5 * 0.5
    assert scores[:2].tolist() == [[0, 2.25, 0], [2, 0, -2]]
    assert scores[2].isnan().all()


def test_scores_leave_the_weights_alone():
    weights = full()
    weights.score(InteractionMatrix.from_histories(histories_of([], []), 3))
    assert weights.weights.equal(WEIGHTS)


def test_the_sparse_ones_say_what_the_data_decide():
    weights, fresh = sparse(), SparseItemWeights(3)
    differ = {name for name, tensor in fresh.state_dict().items() if tensor.shape != weights.state_dict()[name].shape}
    assert differ == set(weights.dynamic_buffers)
    assert weights.matrix.dense().equal(WEIGHTS.T)


@pytest.mark.parametrize("weights", [sparse(), full()])
def test_single_weights_and_those_of_items(weights):
    assert weights.between(torch.tensor([[0], [2]]), torch.tensor([1, 0, 2])).tolist() == [[2, 0, 0], [0.5, 0, 0]]
    assert weights.of(torch.tensor([2, 0])).tolist() == [[0, -1, 0], [0, 1, 0]]


@pytest.mark.parametrize("kind", [SparseItemWeights, DenseItemWeights])
def test_weights_before_fitting_are_zero(kind):
    assert kind(3).of(torch.tensor([1])).tolist() == [[0, 0, 0]]


def test_weights_that_come_by_columns_are_kept_by_rows():
    weights = DenseItemWeights(3)
    weights.set_weights(torch.arange(9.0).view(3, 3).T)
    assert weights.weights.is_contiguous()
    assert weights.of(torch.tensor([0])).tolist() == [[0, 1, 2]]
