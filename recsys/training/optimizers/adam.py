"""Adam and AdamW that update the rows of a table which a step has touched, and equal those that update all.

A row without a gradient still moves: its averages decay, and it follows them. For k such steps after step s, with the
averages m and v of then, Adam's steps add up to::

    m sum_i a_i / (sqrt(v) + eps y_i)    a_i = lr_j beta1^i y_i / (1 - beta1^j)    y_i = sqrt(1 - beta2^j) beta2^(-i/2)

with j = s + i and i = 1 ... k. The y_i are close to each other wherever a_i counts, so that the sum is expanded about
their mean Y weighted by a_i: with z = eps / (sqrt(v) + eps Y) it is::

    m A / (sqrt(v) + eps Y) (1 + M2 z^2 - M3 z^3 + M4 z^4 - M5 z^5 + ...)

where A is the sum of the a_i and M_n their n-th central moment over y. All of these depend on the steps alone, not on
the row. What is left out is at most 1e-7 of the movement from step 100 on, and far less unless the gradients are as
small as eps. The y_i of the first steps are far apart, so that those steps update all rows. AdamW's decay multiplies
the weights, and each a_i by the decays after it.

Kingma, Ba: Adam (2015); Loshchilov, Hutter: Decoupled Weight Decay Regularization (2019).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from recsys.training.optimizers.keeps_rows import KeepsRows
from recsys.training.optimizers.row_rule import WINDOW, FloatArray, RowRule, compiles, number

if TYPE_CHECKING:
    from recsys.training.optimizers.adam_kernels import AdamKernels

#: Columns of the coefficients; the central moments, from the second to the fifth, are between MEAN and DECAY.
SUM, MEAN, DECAY, BETA1, BETA2 = 0, 1, 6, 7, 8

#: Terms of a sum below this share of the first one are left out.
_NEGLIGIBLE = 1e-18

#: The least beta2 for which the y_i are close enough to each other.
_LEAST_BETA2 = 0.99


class AdamRule(RowRule):
    """Adam for the rows of one table; see the module."""

    kept: tuple[str, ...] = ("exp_avg", "exp_avg_sq")
    dense_passes = 8  # a gradient that is zeroed and read, three arrays that are read and written
    row_passes = 40
    compiled_passes = 16
    first_step = 128

    def __init__(self) -> None:
        self.step = 0
        self._start = 0
        self._table = np.zeros((WINDOW + 1, 9))
        self._moments = np.zeros((6, WINDOW + 1))
        #: The same as :meth:`advance` in a twentieth of the time, where the table is updated by compiled loops.
        self._advance: Callable[..., None] | None = None

    def kernels(self, weight: Tensor) -> AdamKernels | None:
        """See :class:`~recsys.training.optimizers.row_rule.RowRule`."""
        if not compiles(weight):
            return None
        from recsys.training.optimizers.adam_kernels import AdamKernels, advance_coefficients

        self._advance = advance_coefficients
        return AdamKernels()

    def begin(self, weight: Tensor, state: dict[str, Any], settings: Mapping[str, Any]) -> None:
        """See :class:`~recsys.training.optimizers.row_rule.RowRule`."""
        if "step" not in state:
            device = weight.device if settings.get("fused") else None  # as PyTorch keeps it
            state["step"] = torch.zeros((), dtype=torch.float32, device=device)
            state["exp_avg"] = torch.zeros_like(weight, memory_format=torch.preserve_format)
            state["exp_avg_sq"] = torch.zeros_like(weight, memory_format=torch.preserve_format)
        self.step = self._start = int(state["step"])
        self._moments[:] = 0
        self._table[:] = (0, 1, 0, 0, 0, 0, 1, 1, 1)

    def end(self, state: dict[str, Any]) -> None:
        """See :class:`~recsys.training.optimizers.row_rule.RowRule`."""
        state["step"].fill_(self.step)

    def advance(self, settings: Mapping[str, Any]) -> None:
        """See :class:`~recsys.training.optimizers.row_rule.RowRule`."""
        self.step += 1
        steps = self.step - self._start
        beta1, beta2 = (number(beta) for beta in settings["betas"])
        lr = number(settings["lr"])
        decay = 1 - lr * settings["weight_decay"]
        ratio = beta1 / math.sqrt(beta2)
        counted = WINDOW if ratio <= 0 else math.ceil(math.log(_NEGLIGIBLE) / math.log(ratio))
        recent = slice(max(0, steps - counted), steps)
        rate, root = lr / (1 - beta1**self.step), math.sqrt(1 - beta2**self.step)
        if self._advance is not None:
            self._advance(self._table, self._moments, steps, recent.start, (beta1, beta2), decay, rate, root)
            return
        self._table[:steps, BETA1] *= beta1
        self._table[:steps, BETA2] *= beta2
        if decay != 1:
            self._table[:steps, DECAY] *= decay
            self._table[:steps, SUM] *= decay
            self._moments[:, :steps] *= decay
        table, moments = self._table[recent], self._moments[:, recent]
        y = root / np.sqrt(table[:, BETA2])
        term = rate * table[:, BETA1] * y
        for moment in moments:
            moment += term
            term = term * y
        table[:, :DECAY] = _central(moments).T

    def coefficients(self) -> FloatArray:
        """See :class:`~recsys.training.optimizers.row_rule.RowRule`."""
        return self._table[: self.step - self._start + 1]

    def catch_up(self, rows: Sequence[Tensor], coefficients: Tensor, settings: Mapping[str, Any]) -> None:
        """See :class:`~recsys.training.optimizers.row_rule.RowRule`."""
        weight, exp_avg, exp_avg_sq = rows
        total, mean, second, third, fourth, fifth, decay, beta1, beta2 = coefficients[:, None].unbind(2)
        denominator = exp_avg_sq.sqrt().add_(settings["eps"] * mean)
        z = settings["eps"] / denominator
        series = (fourth - fifth * z).mul_(-z).add_(third).mul_(-z).add_(second).mul_(z).mul_(z).add_(1)
        weight.mul_(decay).sub_((exp_avg * total).div_(denominator).mul_(series))
        exp_avg.mul_(beta1)
        exp_avg_sq.mul_(beta2)

    def update(self, rows: Sequence[Tensor], grad: Tensor, settings: Mapping[str, Any]) -> None:
        """See :class:`~recsys.training.optimizers.row_rule.RowRule`."""
        weight, exp_avg, exp_avg_sq = rows
        beta1, beta2 = (number(beta) for beta in settings["betas"])
        lr = number(settings["lr"])
        weight.mul_(1 - lr * settings["weight_decay"])
        exp_avg.lerp_(grad, 1 - beta1)
        exp_avg_sq.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        denominator = exp_avg_sq.sqrt().div_(math.sqrt(1 - beta2**self.step)).add_(settings["eps"])
        weight.addcdiv_(exp_avg, denominator, value=-lr / (1 - beta1**self.step))


def _central(moments: FloatArray) -> FloatArray:
    """The sum, the mean and the central moments of weights over y, from the sums of weight times y^n; shape [6, S]."""
    total = moments[0]
    share = np.divide(1, total, out=np.zeros_like(total), where=total > 0)
    m, second, third, fourth, fifth = moments[1:] * share
    return np.stack(
        [
            total,
            np.where(total > 0, m, 1),  # nothing to divide by zero where the learning rate was zero
            second - m**2,
            third - 3 * m * second + 2 * m**3,
            fourth - 4 * m * third + 6 * m**2 * second - 3 * m**4,
            fifth - 5 * m * fourth + 10 * m**2 * third - 10 * m**3 * second + 4 * m**5,
        ]
    )


def _closed_form(settings: Mapping[str, Any]) -> bool:
    """Whether steps without a gradient have a sum in closed form."""
    beta1, beta2 = (number(beta) for beta in settings["betas"])
    plain = not (settings["amsgrad"] or settings["maximize"] or settings["capturable"] or settings["differentiable"])
    return plain and settings["eps"] > 0 and beta2 >= _LEAST_BETA2 and beta1**2 < 0.9 * beta2


class Adam(KeepsRows, torch.optim.Adam):
    """``torch.optim.Adam`` that updates only the rows of a table which a step has touched, where that costs less.

    Its arguments and its state are those of PyTorch's. With ``weight_decay`` each row has a gradient in every step, so
    that all rows are updated; use ``AdamW`` for a decay of which the steps can be caught up.
    """

    def rule(self, settings: Mapping[str, Any]) -> RowRule | None:
        """See :class:`~recsys.training.optimizers.keeps_rows.KeepsRows`."""
        return AdamRule() if settings["weight_decay"] == 0 and _closed_form(settings) else None


class AdamW(KeepsRows, torch.optim.AdamW):
    """``torch.optim.AdamW`` that updates only the rows of a table which a step has touched, where that costs less.

    Its arguments and its state are those of PyTorch's.
    """

    def rule(self, settings: Mapping[str, Any]) -> RowRule | None:
        """See :class:`~recsys.training.optimizers.keeps_rows.KeepsRows`."""
        return AdamRule() if _closed_form(settings) else None
