import pytest
import torch

from recsys.models.layers.embedding import Embedding
from recsys.training.fused.found_gradients import as_table, gradient_room, plain_table, with_gradients


def test_a_loss_gives_each_weight_the_gradient_that_was_found():
    weights = [torch.zeros(2, requires_grad=True), torch.zeros(3, 1, requires_grad=True)]
    rows = as_table(weights[1], torch.tensor([2, 0]), torch.tensor([[1.0], [4.0]]))
    loss = with_gradients(0.5, [torch.tensor([1.0, 2.0]), rows], weights)
    (2 * loss).backward()
    assert loss.item() == 0.5
    assert weights[0].grad.tolist() == [2, 4]
    assert weights[1].grad.is_sparse and weights[1].grad.to_dense().tolist() == [[8], [0], [2]]
    with pytest.raises(RuntimeError, match="given away. Compute the loss again"):
        with_gradients_twice(weights)


def with_gradients_twice(weights: list[torch.Tensor]) -> None:
    loss = with_gradients(0.5, [torch.zeros(2)], weights[:1])
    loss.backward(retain_graph=True)
    loss.backward()


def test_room_is_that_of_the_rows_or_a_table_of_zeros():
    weight, ids = torch.ones(5, 2), torch.tensor([[0, 1], [2, 2]])
    assert gradient_room(weight, ids, by_rows=True).shape == (4, 2)
    assert gradient_room(weight, ids, by_rows=False).tolist() == [[0, 0]] * 5


def test_tables_on_the_cpu_in_two_precisions_are_plain():
    assert plain_table(Embedding(2, 2)) and plain_table(Embedding(2, 2).double())
    assert not plain_table(Embedding(2, 2).half())
    assert not plain_table(Embedding(2, 2).to("meta"))
