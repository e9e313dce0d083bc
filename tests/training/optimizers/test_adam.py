import math

import pytest
import torch

from recsys.training.optimizers.adam import Adam, AdamRule, AdamW
from tests.training.optimizers.tables import Pair, ids_of_steps, loops

__all__ = ["loops"]


@pytest.mark.parametrize("scale", [1e-3, 1e-7])  # the second one makes the steps as small as eps
def test_adam_of_touched_rows_equals_adam_of_all_rows(loops, scale):
    pair = Pair(Adam, torch.optim.Adam, lr=0.01)
    for ids in ids_of_steps(300):
        pair.step(ids, scale)
    assert pair.table.weight.grad.is_sparse
    assert (pair.table.weight - pair.reference.weight).abs().max() > 1e-3  # some rows are behind
    assert pair.difference() < 5e-9


def test_adamw_and_its_decay_and_a_schedule(loops):
    pair = Pair(AdamW, torch.optim.AdamW, lr=0.01, weight_decay=0.3)
    schedules = [torch.optim.lr_scheduler.CosineAnnealingLR(each, 10) for each in (pair.optimizer, pair.dense)]
    for number, ids in enumerate(ids_of_steps(280)):
        pair.step(ids, 1e-4, used_twice=number % 3 == 0)
        if number % 40 == 39:
            for schedule in schedules:
                schedule.step()
    assert pair.table.weight.grad.is_sparse
    assert pair.difference() < 5e-9


def test_a_rate_of_zero_and_cycled_averages_are_caught_up_as_well(loops):
    pair = Pair(Adam, torch.optim.Adam, lr=0.0)
    for number, ids in enumerate(ids_of_steps(250)):
        for optimizer in (pair.optimizer, pair.dense):
            optimizer.param_groups[0]["lr"] = 0.0 if number % 50 < 25 else 0.01
            optimizer.param_groups[0]["betas"] = (0.85 if number % 100 < 50 else 0.9, 0.999)
        pair.step(ids, 1e-4)
    assert pair.difference() < 5e-9


def test_single_precision(loops):
    pair = Pair(Adam, torch.optim.Adam, torch.float32, lr=0.01, fused=True)
    for ids in ids_of_steps(280):
        pair.step(ids, 1e-4)
    assert pair.difference() < 2e-5


def test_what_is_remembered_of_the_steps_stays_small(loops, monkeypatch):
    monkeypatch.setattr("recsys.training.optimizers.table_rows.WINDOW", 50)
    pair = Pair(Adam, torch.optim.Adam, lr=0.01)
    for ids in ids_of_steps(300):
        pair.step(ids, 1e-4)
        coefficients = pair.table.keeper._rule.coefficients()
        assert len(coefficients) <= 51
    assert pair.difference() < 5e-9


@pytest.mark.parametrize(
    "settings", [{"weight_decay": 0.1}, {"amsgrad": True}, {"eps": 0.0}, {"betas": (0.9, 0.9)}, {"maximize": True}]
)
def test_settings_whose_steps_have_no_sum_update_all_rows(settings):
    pair = Pair(Adam, torch.optim.Adam, lr=0.01, **settings)
    assert pair.table.keeper is None
    pair.step(torch.arange(60), 1.0)
    assert pair.difference() == 0


def test_the_coefficients_are_the_sums_of_the_steps():
    rule = AdamRule()
    state = {"step": torch.tensor(200.0)}
    settings = {"lr": 0.01, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0}
    rule.begin(torch.zeros(1, 1), state, settings)
    for _ in range(3):
        rule.advance(settings)
    terms, places = [], []
    for i in (1, 2):  # steps 202 and 203, after step 201
        y = math.sqrt(1 - 0.999 ** (201 + i)) * 0.999 ** (-i / 2)
        terms.append(0.01 * 0.9**i * y / (1 - 0.9 ** (201 + i)))
        places.append(y)
    total = sum(terms)
    mean = sum(term * y for term, y in zip(terms, places, strict=True)) / total
    second = sum(term * (y - mean) ** 2 for term, y in zip(terms, places, strict=True)) / total
    found = rule.coefficients()
    assert found[1, :3] == pytest.approx([total, mean, second], rel=1e-9)
    assert found[1, 6:] == pytest.approx([1, 0.9**2, 0.999**2])
    assert found[3].tolist() == [0, 1, 0, 0, 0, 0, 1, 1, 1]  # a row that is current stays as it is
