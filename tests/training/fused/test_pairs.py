from functools import partial

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from recsys.models.layers.embedding import Embedding, RowKeeper
from recsys.models.mf import MF
from recsys.training.fitting import fit
from recsys.training.fused import choice as module
from recsys.training.losses import BPRLoss, LogisticLoss
from recsys.training.negatives import UniformNegatives
from recsys.training.optimizers.sgd import SGD
from recsys.training.sampled_negatives import SampledNegativesModule
from tests.training.optimizers.tables import always_by_rows
from tests.training.recipes import TRAIN, sampled

LOSSES = [BPRLoss(), LogisticLoss()]


class KeepsAsRows(RowKeeper):
    """Asks for gradients of rows, and notes which rows are read."""

    def __init__(self) -> None:
        self.caught_up: list[Tensor] = []

    def by_rows(self, num_ids: int) -> bool:
        return True

    def catch_up(self, ids: Tensor) -> None:
        self.caught_up.append(ids)

    def catch_up_all(self) -> None:
        raise AssertionError("no table is read whole")


@pytest.fixture(autouse=True)
def always(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setattr(module, "LEAST_PAIRS", 0)


def network(dtype: torch.dtype = torch.float64, **options: object) -> MF:
    torch.manual_seed(0)
    model = MF(TRAIN.num_users, TRAIN.num_items, embedding_dim=8, init_std=0.5, **options).to(dtype)  # type: ignore[arg-type]
    if model.biases:
        for weight in (model.user_bias.weight, model.item_bias.weight, model.global_bias):
            nn.init.normal_(weight)
    return model


def trained(model: nn.Module, loss: nn.Module, num_negatives: int = 3, l2: float = 0.0) -> SampledNegativesModule:
    made = sampled(model, loss=loss, negative_sampler=UniformNegatives(num_negatives), l2=l2, validation=None)
    made.train_dataloader()
    return made


def batch(num_negatives: int = 3) -> tuple[Tensor, Tensor]:
    """Few users and items, so that most come several times, also beside one another in a row."""
    generator = torch.Generator().manual_seed(1)
    items = torch.randint(6, (20, 1 + num_negatives), generator=generator)
    return torch.randint(4, (20,), generator=generator), items


def gradients(model: nn.Module, loss: Tensor) -> list[Tensor]:
    model.zero_grad()
    loss.backward()
    return [weight.grad.to_dense() if weight.grad.is_sparse else weight.grad for weight in model.parameters()]


@pytest.mark.parametrize("by_rows", [False, True])
@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize("num_negatives", [1, 3])
@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_loss_and_gradients_are_those_of_the_operators(dtype, loss, biases, num_negatives, l2, by_rows):
    model = network(dtype, biases=biases)
    plain = trained(model, loss, num_negatives, l2)
    fused, users, items = plain._fused, *batch(num_negatives)
    expected = plain._plain_loss(users, items)
    expected_gradients = gradients(model, expected)
    if by_rows:
        for table in plain.row_tables():
            table.keeper = KeepsAsRows()
    found = fused.loss(users, items)
    torch.testing.assert_close(found, expected)
    for grad, wanted in zip(gradients(model, found), expected_gradients, strict=True):
        torch.testing.assert_close(grad, wanted)
    assert model.user_vectors.weight.grad.is_sparse == by_rows


def test_rows_are_caught_up_before_they_are_read():
    model = network()
    made, (users, items) = trained(model, BPRLoss()), batch()
    keepers = {name: KeepsAsRows() for name, layer in model.named_modules() if isinstance(layer, Embedding)}
    for name, keeper in keepers.items():
        model.get_submodule(name).keeper = keeper
    made.loss((users, items))
    read = {name: [ids.tolist() for ids in keeper.caught_up] for name, keeper in keepers.items()}
    assert read == {
        "user_vectors": [users.tolist()],
        "user_bias": [users.tolist()],
        "item_vectors": [items.tolist()],
        "item_bias": [items.tolist()],
    }


def test_a_scaled_loss_has_scaled_gradients():
    model, (users, items) = network(), batch()
    made = trained(model, BPRLoss())
    once = gradients(model, made.loss((users, items)))
    for grad, wanted in zip(gradients(model, 8 * made.loss((users, items))), once, strict=True):
        torch.testing.assert_close(grad, 8 * wanted)


def test_the_gradients_are_given_away_and_not_copied():
    model, (users, items) = network(), batch()
    loss = trained(model, BPRLoss()).loss((users, items))
    place = loss.grad_fn.found[0].data_ptr()
    loss.backward(retain_graph=True)
    assert model.user_vectors.weight.grad.data_ptr() == place
    with pytest.raises(RuntimeError, match="given away. Compute the loss again"):
        loss.backward()


def test_extreme_scores_overflow_nowhere():
    model = MF(1, 2, embedding_dim=1, biases=False).double()
    made = trained(model, BPRLoss(), 1)
    users, items = torch.tensor([0]), torch.tensor([[0, 1]])
    nn.init.constant_(model.user_vectors.weight, 1000.0)
    model.item_vectors.weight.data[:] = torch.tensor([[-1.0], [1.0]])
    loss = made.loss((users, items))
    assert loss.item() == 2000
    user, item = gradients(model, loss)
    assert user.tolist() == [[2]] and item.tolist() == [[-1000], [1000]]
    model.item_vectors.weight.data.neg_()
    assert made.loss((users, items)).item() == 0


def test_a_weight_that_is_no_number_makes_the_loss_none():
    model = network()
    model.item_vectors.weight.data[batch()[1][0, 0]] = torch.nan
    assert trained(model, BPRLoss()).loss(batch()).isnan()


@pytest.mark.parametrize(("user", "item"), [(-1, 0), (10**6, 0), (0, -1), (0, 10**6)])
def test_rows_that_are_not_in_a_table_are_refused(user, item):
    made = trained(network(), BPRLoss())
    with pytest.raises(IndexError, match="not in the table of its vectors"):
        made.loss((torch.tensor([user]), torch.tensor([[1, item]])))


def test_the_plain_way_is_taken_where_operators_do_more():
    def pass_(model: MF) -> Tensor | None:
        return trained(model, BPRLoss())._fused.loss(*batch())

    assert pass_(network()) is not None
    assert pass_(network(dropout=0.5)) is None
    assert pass_(network(torch.bfloat16)) is None
    with torch.no_grad():
        assert pass_(network()) is None
    with torch.autocast("cpu", torch.bfloat16):
        assert pass_(network()) is None
    assert trained(network().to("meta"), BPRLoss())._fused.loss(*(each.to("meta") for each in batch())) is None


def test_what_is_compiled_whole_takes_the_operators(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    assert sampled(network(), loss=BPRLoss(), compile_network=True)._fused is None


def test_a_training_by_touched_rows_ends_as_one_of_operators(tmp_path, monkeypatch):

    always_by_rows(monkeypatch)
    ends = []
    for number, least in enumerate((0, 10**9)):
        monkeypatch.setattr(module, "LEAST_PAIRS", least)
        model = network()
        made = sampled(model, loss=BPRLoss(), optimizer=partial(SGD, lr=0.5), l2=0.1, validation=None)
        trainer = partial(pl.Trainer, max_epochs=2, accelerator="cpu", devices=1)
        fit(made, trainer, tmp_path / str(number), monitor=None)
        ends.append(torch.cat([weight.detach().flatten() for weight in model.parameters()]))
    torch.testing.assert_close(*ends)
