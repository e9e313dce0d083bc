from functools import partial

import pytest

pytest.importorskip("numba")

import torch
from torch import nn

from recsys.training.fused import choice, tower_adam
from recsys.training.fused.tower_adam import TowerAdam
from recsys.training.fused.tower_steps import TowerSteps
from recsys.training.losses import BPRLoss, LogisticLoss
from recsys.training.negatives import UniformNegatives
from recsys.training.optimizers.adam import Adam, AdamW
from recsys.training.optimizers.keeps_rows import KeepsRows
from recsys.training.optimizers.sgd import SGD
from tests.training.fused.test_towers import network
from tests.training.recipes import sampled

OPTIMIZERS = {
    "adam": (Adam, torch.optim.Adam, {"lr": 0.01}),
    "adamw": (AdamW, torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1, "betas": (0.8, 0.99), "eps": 1e-6}),
}


@pytest.fixture(autouse=True)
def always(monkeypatch):
    monkeypatch.setattr(choice, "LEAST_PAIRS", 0)
    monkeypatch.setattr(tower_adam, "_ROWS_OF_TOUCHED", 10**6)


def batches(count: int, size: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    """Few rows a step, so that most tables' rows lag behind."""
    generator = torch.Generator().manual_seed(1)
    users = torch.randint(40, (count * size,), generator=generator)
    return users, torch.randint(30, (count * size, 2), generator=generator)


def made_with(optimizer, model: nn.Module, loss: nn.Module):
    made = sampled(model, loss=loss, optimizer=optimizer, negative_sampler=UniformNegatives(1), l2=0.1, validation=None)
    made.train_dataloader()
    kept = made.configure_optimizers()
    if isinstance(kept, KeepsRows):
        for table in made.row_tables():
            kept.keep(table)
    return made, kept


@pytest.mark.parametrize("loss", [BPRLoss(), LogisticLoss()], ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("model", ["gmf", "neumf"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_are_those_of_pytorch_over_whole_tables(name, model, loss, monkeypatch):
    ours, theirs, settings = OPTIMIZERS[name]
    found, expected = network(model), network(model)
    made, kept = made_with(partial(ours, **settings), found, loss)
    plain, reference = made_with(partial(theirs, **settings), expected, loss)
    steps, taken, total = TowerSteps(made._fused, kept), [], 0.0
    take = TowerAdam.take
    monkeypatch.setattr(TowerAdam, "take", lambda self, *rows: taken.append(len(rows[0])) or take(self, *rows))
    users, items = batches(220)
    for part in zip(users.split(3 * 20), items.split(3 * 20), strict=True):
        assert steps.possible(3, 2)
        total += steps.take(*part, 3)
    assert taken == [60] * 4  # after the first 128 steps, rounded up to whole calls
    wanted = 0.0
    for of_users, of_items in zip(users.split(3), items.split(3), strict=True):
        reference.zero_grad()
        value = plain._plain_loss(of_users, of_items)
        value.backward()
        reference.step()
        wanted += value.item()
    assert total == pytest.approx(wanted)
    for weight, other in zip(found.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(weight, other, rtol=1e-6, atol=1e-7)
        mine, state = kept.state[weight], reference.state[other]
        assert mine["step"] == state["step"] == 220
        torch.testing.assert_close(mine["exp_avg"], state["exp_avg"], rtol=1e-6, atol=1e-9)


def test_it_is_for_adam_past_its_first_steps_and_for_tables_that_are_caught_up_quickly(monkeypatch):
    def possible(optimizer, begun: int) -> bool:
        made, kept = made_with(optimizer, network("neumf"), BPRLoss())
        for weight in made.network.parameters():
            kept.state[weight] = {
                "step": torch.tensor(float(begun)),
                "exp_avg": torch.zeros_like(weight),
                "exp_avg_sq": torch.ones_like(weight),
            }
        return TowerAdam(made._fused, kept).possible(3, 2)

    adam = partial(Adam, lr=0.01)
    assert possible(adam, 128)
    assert not possible(adam, 127)
    assert not possible(partial(Adam, lr=0.01, weight_decay=0.1), 128)
    assert not possible(partial(SGD, lr=0.01), 128)
    monkeypatch.setattr(tower_adam, "_ROWS_OF_TOUCHED", 3)
    assert not possible(adam, 128)
