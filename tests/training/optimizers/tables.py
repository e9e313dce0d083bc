"""Trains a table by its touched rows beside PyTorch's own optimiser, which updates all of them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from recsys.models.layers.embedding import Embedding
from recsys.training.optimizers import row_rule, table_rows
from recsys.training.optimizers.keeps_rows import KeepsRows

NUM_ROWS, DIM = 60, 4


@pytest.fixture(params=["operators", "compiled"])
def loops(request, monkeypatch):
    """Every table is updated by rows, with and without compiled loops."""
    if request.param == "compiled":
        pytest.importorskip("numba")
    else:
        monkeypatch.setattr(row_rule, "find_spec", lambda name: None)
    always_by_rows(monkeypatch)
    return request.param


def always_by_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_rows, "_OVERHEAD", {"cpu": -(10**9), "cuda": 0})


def ids_of_steps(steps: int) -> Tensor:
    """Rows of each step, some of them several times, most of them seldom."""
    probabilities = 1 / torch.arange(1.0, NUM_ROWS + 1) ** 1.2
    generator = torch.Generator().manual_seed(3)
    return torch.multinomial(probabilities.expand(steps, -1), 5, replacement=True, generator=generator)


class Pair:
    """A table of ours and one of PyTorch's, which take the same steps."""

    def __init__(self, ours: Any, theirs: Any, dtype: torch.dtype = torch.float64, **settings: Any) -> None:
        torch.manual_seed(0)
        self.table = Embedding(NUM_ROWS, DIM).to(dtype)
        self.reference = nn.Embedding(NUM_ROWS, DIM).to(dtype)
        self.reference.load_state_dict(self.table.state_dict())
        self.optimizer: KeepsRows = ours(self.table.parameters(), **settings)
        self.dense = theirs(self.reference.parameters(), **settings)
        self.optimizer.keep(self.table)

    def step(self, ids: Tensor, scale: float, used_twice: bool = False) -> None:
        factors = torch.randn(
            *ids.shape, DIM, dtype=self.table.weight.dtype, generator=torch.Generator().manual_seed(7)
        )
        for table, optimizer in ((self.table, self.optimizer), (self.reference, self.dense)):
            optimizer.zero_grad()
            rows = table(ids)
            loss = (rows * factors).sum() + rows.square().sum()
            if used_twice:
                loss = loss + table(ids[:2] // 2).square().sum()
            (scale * loss).backward()
            optimizer.step()

    def difference(self) -> float:
        self.optimizer.catch_up_all()
        return (self.table.weight - self.reference.weight).abs().max().item()
