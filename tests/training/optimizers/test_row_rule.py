import torch

from recsys.training.optimizers import row_rule


def test_loops_are_for_the_processor_and_for_plain_numbers(monkeypatch):
    monkeypatch.setattr(row_rule, "find_spec", lambda name: object())
    assert row_rule.compiles(torch.zeros(2, 2)) and row_rule.compiles(torch.zeros(2, 2, dtype=torch.float64))
    assert not row_rule.compiles(torch.zeros(2, 2, dtype=torch.bfloat16))
    assert not row_rule.compiles(torch.zeros(2, 3).T)
    assert not row_rule.compiles(torch.zeros(2, 2, device="meta"))


def test_there_are_none_without_numba(monkeypatch):
    monkeypatch.setattr(row_rule, "find_spec", lambda name: None)
    assert not row_rule.compiles(torch.zeros(2, 2))


def test_a_setting_may_be_a_tensor():
    assert row_rule.number(torch.tensor(0.5)) == row_rule.number(0.5) == 0.5
