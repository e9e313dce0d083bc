"""Adagrad that updates the rows of a table which a step has touched, and equals one of all rows.

A row without a gradient stays as it is, so that nothing has to be caught up.

Duchi, Hazan, Singer: Adaptive Subgradient Methods for Online Learning and Stochastic Optimization (2011).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from recsys.training.optimizers.keeps_rows import KeepsRows
from recsys.training.optimizers.row_rule import FloatArray, RowKernels, RowRule, number


class AdagradRule(RowRule):
    """Adagrad for the rows of one table; see the module."""

    kept: tuple[str, ...] = ("sum",)
    dense_passes = 6
    compiled_passes = row_passes = 20
    first_step = 0

    def __init__(self) -> None:
        self.step = 0

    def kernels(self, weight: Tensor) -> RowKernels | None:
        """See :class:`~recsys.training.optimizers.row_rule.RowRule`."""
        return None

    def begin(self, weight: Tensor, state: dict[str, Any], settings: Mapping[str, Any]) -> None:
        """See :class:`~recsys.training.optimizers.row_rule.RowRule`; PyTorch makes the state at once."""
        self.step = int(state["step"])

    def end(self, state: dict[str, Any]) -> None:
        """See :class:`~recsys.training.optimizers.row_rule.RowRule`."""
        state["step"].fill_(self.step)

    def advance(self, settings: Mapping[str, Any]) -> None:
        """See :class:`~recsys.training.optimizers.row_rule.RowRule`."""
        self.step += 1

    def coefficients(self) -> FloatArray | None:
        """See :class:`~recsys.training.optimizers.row_rule.RowRule`."""
        return None

    def catch_up(self, rows: Sequence[Tensor], coefficients: Tensor, settings: Mapping[str, Any]) -> None:
        """See :class:`~recsys.training.optimizers.row_rule.RowRule`."""

    def update(self, rows: Sequence[Tensor], grad: Tensor, settings: Mapping[str, Any]) -> None:
        """See :class:`~recsys.training.optimizers.row_rule.RowRule`."""
        weight, total = rows
        rate = number(settings["lr"]) / (1 + (self.step - 1) * settings["lr_decay"])
        total.addcmul_(grad, grad)
        weight.addcdiv_(grad, total.sqrt().add_(settings["eps"]), value=-rate)


class Adagrad(KeepsRows, torch.optim.Adagrad):
    """``torch.optim.Adagrad`` that updates only the rows of a table which a step has touched, where that costs less.

    Its arguments and its state are those of PyTorch's. With ``weight_decay`` each row has a gradient in every step, so
    that all rows are updated.
    """

    def rule(self, settings: Mapping[str, Any]) -> RowRule | None:
        """See :class:`~recsys.training.optimizers.keeps_rows.KeepsRows`."""
        plain = not (settings["maximize"] or settings["differentiable"] or settings["weight_decay"])
        return AdagradRule() if plain else None
