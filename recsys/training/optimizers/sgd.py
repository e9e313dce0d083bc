"""Stochastic gradient descent that updates the rows of a table which a step has touched, and equals one of all rows.

Without a gradient a step is linear: with the penalty l, the momentum m and its buffer b::

    b' = m b + (1 - t) l w        w' = w - r b'

(and with Nesterov's momentum ``w' = w - r (l w + m b')``), where t is the dampening and r the learning rate. So k such
steps multiply (w, b) by a matrix of two rows, the product of those of the steps, the same for all rows of a table that
were current at the same time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from recsys.training.optimizers.keeps_rows import KeepsRows
from recsys.training.optimizers.row_rule import WINDOW, FloatArray, RowRule, compiles, number

if TYPE_CHECKING:
    from recsys.training.optimizers.sgd_kernels import SGDKernels


class SGDRule(RowRule):
    """SGD for the rows of one table; see the module.

    Args:
        momentum: whether there is a buffer.
        still: whether rows without a gradient stay as they are.
    """

    row_passes = 20
    first_step = 0

    def __init__(self, momentum: bool, still: bool) -> None:
        self.kept: tuple[str, ...] = ("momentum_buffer",) if momentum else ()
        self.dense_passes = 6 if momentum else 4
        self.step = 0
        self.still = still
        # As rows a gradient is written, read and taken from the weights; it is added to a whole table much as that.
        self.compiled_passes = 2 if still else self.row_passes
        self.compiled_overhead = 2**18 if still else RowRule.compiled_overhead
        self._begun = False
        self._products = np.zeros((WINDOW + 1, 4))

    def kernels(self, weight: Tensor) -> SGDKernels | None:
        """See :class:`~recsys.training.optimizers.row_rule.RowRule`."""
        if not (self.still and compiles(weight)):
            return None
        from recsys.training.optimizers.sgd_kernels import SGDKernels

        return SGDKernels()

    def begin(self, weight: Tensor, state: dict[str, Any], settings: Mapping[str, Any]) -> None:
        """See :class:`~recsys.training.optimizers.row_rule.RowRule`."""
        self._begun = state.get("momentum_buffer") is not None
        if self.kept and not self._begun:
            state["momentum_buffer"] = torch.zeros_like(weight, memory_format=torch.preserve_format)
        self.step = 0
        self._products[:] = (1, 0, 0, 1)

    def end(self, state: dict[str, Any]) -> None:
        """See :class:`~recsys.training.optimizers.row_rule.RowRule`."""

    def advance(self, settings: Mapping[str, Any]) -> None:
        """See :class:`~recsys.training.optimizers.row_rule.RowRule`."""
        # The first step fills the buffer with the gradient, as PyTorch does: without dampening.
        self._share = 1 - settings["dampening"] if self._begun else 1.0
        self._begun = True
        self.step += 1
        if self.still:
            return
        lr, penalty, momentum = number(settings["lr"]), settings["weight_decay"], settings["momentum"]
        buffer = np.array([self._share * penalty, momentum]) if self.kept else np.array([penalty, 0])
        moved = buffer * momentum + np.array([penalty, 0]) if settings["nesterov"] else buffer
        matrix = np.stack([np.array([1, 0]) - lr * moved, buffer])
        past = self._products[: self.step].reshape(-1, 2, 2)
        past[:] = matrix @ past

    def coefficients(self) -> FloatArray | None:
        """See :class:`~recsys.training.optimizers.row_rule.RowRule`."""
        return None if self.still else self._products[: self.step + 1]

    def catch_up(self, rows: Sequence[Tensor], coefficients: Tensor, settings: Mapping[str, Any]) -> None:
        """See :class:`~recsys.training.optimizers.row_rule.RowRule`."""
        weight = rows[0]
        own, of_buffer, of_weight, buffers = coefficients[:, None].unbind(2)
        if not self.kept:
            weight.mul_(own)
            return
        buffer = rows[1]
        new = buffer * buffers + weight * of_weight
        weight.mul_(own).addcmul_(buffer, of_buffer.expand_as(buffer))
        buffer.copy_(new)

    def update(self, rows: Sequence[Tensor], grad: Tensor, settings: Mapping[str, Any]) -> None:
        """See :class:`~recsys.training.optimizers.row_rule.RowRule`."""
        weight, momentum = rows[0], settings["momentum"]
        grad = grad.add(weight, alpha=settings["weight_decay"])
        if self.kept:
            buffer = rows[1].mul_(momentum).add_(grad, alpha=self._share)
            grad = grad.add(buffer, alpha=momentum) if settings["nesterov"] else buffer
        weight.add_(grad, alpha=-number(settings["lr"]))


class SGD(KeepsRows, torch.optim.SGD):
    """``torch.optim.SGD`` that updates only the rows of a table which a step has touched, where that costs less.

    Its arguments and its state are those of PyTorch's.
    """

    def rule(self, settings: Mapping[str, Any]) -> RowRule | None:
        """See :class:`~recsys.training.optimizers.keeps_rows.KeepsRows`."""
        if settings["maximize"] or settings["differentiable"]:
            return None
        momentum = settings["momentum"] != 0
        return SGDRule(momentum, still=not momentum and settings["weight_decay"] == 0)
