from functools import partial

import pytest

pytest.importorskip("numba")

import torch
from torch import Tensor, nn

from recsys.models.layers.dropout import draw_kept
from recsys.models.neumf import GMF, MLP, NeuMF
from recsys.training.fused import choice, tower_blocks, tower_pass
from recsys.training.fused import towers as module
from recsys.training.losses import BPRLoss, LogisticLoss
from recsys.training.negatives import UniformNegatives
from recsys.training.sampled_negatives import SampledNegativesModule
from tests.training.fused.test_pairs import KeepsAsRows, batch, gradients
from tests.training.recipes import TRAIN, sampled

LOSSES = [BPRLoss(), LogisticLoss()]
SIZES = TRAIN.num_users, TRAIN.num_items
NETWORKS = {
    "gmf": partial(GMF, *SIZES, embedding_dim=8),
    "mlp": partial(MLP, *SIZES, embedding_dim=8, hidden_dims=(6, 5, 4)),
    "shallow": partial(MLP, *SIZES, embedding_dim=8, hidden_dims=(6,)),
    "neumf": partial(NeuMF, *SIZES, embedding_dim=8, mlp_embedding_dim=4, hidden_dims=(6, 4)),
}


def network(name: str, **options: object) -> nn.Module:
    """One whose biases and output weights are no zeros and ones."""
    torch.manual_seed(0)
    model = NETWORKS[name](init_std=0.5, **options).double()
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.5)
    return model


def trained(model: nn.Module, loss: nn.Module, num_negatives: int, l2: float) -> SampledNegativesModule:
    made = sampled(model, loss=loss, negative_sampler=UniformNegatives(num_negatives), l2=l2, validation=None)
    made.train_dataloader()
    return made


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks of a few users, the last one smaller than the others."""
    monkeypatch.setattr(tower_pass, "BLOCK_PAIRS", 12)
    monkeypatch.setattr(choice, "LEAST_PAIRS", 0)


@pytest.mark.parametrize("by_rows", [False, True])
@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize("num_negatives", [1, 3])
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("name", NETWORKS)
def test_loss_and_gradients_are_those_of_the_operators(name, loss, num_negatives, l2, by_rows):
    model = network(name)
    made, (users, items) = trained(model, loss, num_negatives, l2), batch(num_negatives)
    expected = made._plain_loss(users, items)
    expected_gradients = gradients(model, expected)
    if by_rows:
        for table in made.row_tables():
            table.keeper = KeepsAsRows()
    found = made._fused.loss(users, items)
    torch.testing.assert_close(found, expected)
    for grad, wanted in zip(gradients(model, found), expected_gradients, strict=True):
        torch.testing.assert_close(grad, wanted)
    assert all(table.weight.grad.is_sparse == by_rows for table in made.row_tables())


@pytest.mark.parametrize("name", ["mlp", "neumf"])
def test_with_dropout_a_batch_of_one_block_is_what_the_operators_compute_from_the_same_draw(name, monkeypatch):
    monkeypatch.setattr(tower_pass, "BLOCK_PAIRS", 10**6)
    monkeypatch.setattr(
        tower_blocks, "draw_bits", lambda counts, dropout: (draw_kept(count, dropout).numpy() for count in counts)
    )
    model = network(name, dropout=0.4)
    made, (users, items) = trained(model, LogisticLoss(), 3, 0.1), batch()
    torch.manual_seed(3)
    expected = made._plain_loss(users, items)
    expected_gradients = gradients(model, expected)
    torch.manual_seed(3)
    found = made._fused.loss(users, items)
    torch.testing.assert_close(found, expected)
    for grad, wanted in zip(gradients(model, found), expected_gradients, strict=True):
        torch.testing.assert_close(grad, wanted)


def test_dropout_is_drawn_anew_for_each_block_and_left_out_in_evaluation():
    model = network("mlp", dropout=0.4)
    made, (users, items) = trained(model, LogisticLoss(), 3, 0.0), batch()
    losses = {made._fused.loss(users[:3].repeat(2), items[:3].repeat(2, 1)).item() for _ in range(4)}
    assert len(losses) == 4
    model.eval()
    torch.testing.assert_close(made._fused.loss(users, items), made._plain_loss(users, items))


def test_a_score_that_is_no_number_makes_the_loss_none():
    model = network("neumf")
    model.gmf.item_vectors.weight.data[batch()[1][0, 0]] = torch.nan
    assert trained(model, BPRLoss(), 3, 0.0).loss(batch()).isnan()


def test_rows_that_are_not_in_a_table_are_refused():
    made = trained(network("neumf"), BPRLoss(), 1, 0.0)
    with pytest.raises(IndexError):
        made.loss((torch.tensor([0]), torch.tensor([[1, 10**6]])))


def test_the_plain_way_is_taken_where_operators_do_more():
    def pass_(model: nn.Module) -> Tensor | None:
        return trained(model, BPRLoss(), 3, 0.0)._fused.loss(*batch())

    assert pass_(network("neumf")) is not None
    assert pass_(network("neumf", dropout=1.0)) is None
    assert pass_(network("neumf").bfloat16()) is None
    with torch.no_grad():
        assert pass_(network("neumf")) is None
    with torch.autocast("cpu", torch.bfloat16):
        assert pass_(network("neumf")) is None


def test_a_table_that_is_read_often_is_projected_whole(monkeypatch):
    made, (users, items) = trained(network("mlp"), BPRLoss(), 3, 0.0), batch()
    monkeypatch.setattr(module, "pays_by_table", lambda vectors, ids: True)
    assert made._fused.loss(users, items) is None
