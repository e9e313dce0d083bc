"""Adam for some rows of a table as compiled loops: each row passes through the processor once. Needs Numba.

They are operators of PyTorch, ``recsys::adam_catch_up`` and ``recsys::adam_update``, so that whatever watches operators
sees them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recsys.training.compiled_loops import compiled, prefetch_row
from recsys.training.operator_library import LIBRARY
from recsys.training.optimizers.row_rule import RowKernels, number

#: How many rows ahead the processor is asked for one.
AHEAD = 4


_inlined = partial(compiled, inline=True)


@_inlined
def _catch_up_row(weight, exp_avg, exp_avg_sq, of_row, eps):  # type: ignore[no-untyped-def]
    total, mean, second, third, fourth, fifth, decay, beta1, beta2 = of_row
    for d in range(len(weight)):
        average, square = exp_avg[d], exp_avg_sq[d]
        denominator = np.sqrt(square) + eps * mean
        z = eps / denominator
        series = z * z * (second - z * (third - z * (fourth - z * fifth)))
        step = total * average / denominator
        weight[d] = weight[d] * decay - (step + step * series)
        exp_avg[d] = average * beta1
        exp_avg_sq[d] = square * beta2


@compiled
def catch_up_rows(ids, weight, exp_avg, exp_avg_sq, last, coefficients, eps):  # type: ignore[no-untyped-def]
    """See :meth:`AdamKernels.catch_up`; ``coefficients`` in the precision of the tables."""
    now = len(coefficients) - 1
    for i in range(len(ids)):
        row = ids[i]
        if i + AHEAD < len(ids):
            soon = ids[i + AHEAD]
            if last[soon] != now:
                prefetch_row(weight, soon)
                prefetch_row(exp_avg, soon)
                prefetch_row(exp_avg_sq, soon)
        then = last[row]
        if then != now:
            last[row] = now
            c = coefficients[then]
            of_row = (c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8])
            _catch_up_row(weight[row], exp_avg[row], exp_avg_sq[row], of_row, eps)


@_inlined
def _update_row(weight, exp_avg, exp_avg_sq, grad, settings):  # type: ignore[no-untyped-def]
    beta1, rest1, beta2, rest2, decay, rate, scale, eps = settings
    for d in range(len(weight)):
        average = exp_avg[d] * beta1 + grad[d] * rest1
        square = exp_avg_sq[d] * beta2 + grad[d] * grad[d] * rest2
        exp_avg[d], exp_avg_sq[d] = average, square
        weight[d] = weight[d] * decay - rate * average / (np.sqrt(square) * scale + eps)


@compiled
def _sums(ids, grad, last):  # type: ignore[no-untyped-def]
    """The distinct rows of ``ids`` and the sum of the gradients of each; ``last`` is theirs to be written again."""
    # While the gradients are added up, ``last`` tells where the sum of a row is: -1 - place.
    count = 0
    for i in range(len(ids)):
        row = ids[i]
        if last[row] >= 0:
            last[row] = -1 - count
            count += 1
    if count == len(ids):
        return ids, grad
    rows = np.empty(count, np.int64)
    sums = np.zeros((count, grad.shape[1]), grad.dtype)
    for i in range(len(ids)):
        row = ids[i]
        place = -1 - last[row]
        rows[place] = row
        into, of = sums[place], grad[i]
        for d in range(len(of)):
            into[d] += of[d]
    return rows, sums


@compiled
def update_rows(ids, grad, weight, exp_avg, exp_avg_sq, last, steps, settings):  # type: ignore[no-untyped-def]
    """See :meth:`AdamKernels.update`; ``settings`` are those of :func:`step_settings`."""
    s = settings
    of_step = (s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7])
    rows, sums = _sums(ids, grad, last)
    for place in range(len(rows)):
        row = rows[place]
        if place + AHEAD < len(rows):
            soon = rows[place + AHEAD]
            prefetch_row(weight, soon)
            prefetch_row(exp_avg, soon)
            prefetch_row(exp_avg_sq, soon)
        last[row] = steps
        _update_row(weight[row], exp_avg[row], exp_avg_sq[row], sums[place], of_step)


_TABLES = "Tensor(a!) weight, Tensor(b!) exp_avg, Tensor(c!) exp_avg_sq, Tensor(d!) last"
LIBRARY.define(f"adam_catch_up(Tensor ids, {_TABLES}, Tensor coefficients, float eps) -> ()")
LIBRARY.define(f"adam_update(Tensor ids, Tensor grad, {_TABLES}, int steps, float[] settings) -> ()")


def _run_catch_up(ids: Tensor, *tables: Any) -> None:
    *arrays, coefficients, eps = tables
    dtype = arrays[0].dtype
    in_precision = coefficients.to(dtype).numpy()
    catch_up_rows(ids.numpy(), *(array.numpy() for array in arrays), in_precision, in_precision.dtype.type(eps))


def _run_update(ids: Tensor, grad: Tensor, *tables: Any) -> None:
    *arrays, steps, settings = tables
    rows = grad.contiguous().numpy()
    of_step = np.array(settings, dtype=rows.dtype)
    update_rows(ids.numpy(), rows, *(array.numpy() for array in arrays), steps, of_step)


LIBRARY.impl("adam_catch_up", _run_catch_up, "CPU")
LIBRARY.impl("adam_update", _run_update, "CPU")


class AdamKernels(RowKernels):
    """Adam and AdamW for rows of a table."""

    def catch_up(
        self, ids: Tensor, tables: Sequence[Tensor], last: Tensor, coefficients: Tensor, settings: Mapping[str, Any]
    ) -> None:
        """See :class:`~recsys.training.optimizers.row_rule.RowKernels`."""
        torch.ops.recsys.adam_catch_up(ids, *tables, last, coefficients, settings["eps"])

    def update(
        self,
        ids: Tensor,
        grad: Tensor,
        tables: Sequence[Tensor],
        last: Tensor,
        step: int,
        steps: int,
        settings: Mapping[str, Any],
    ) -> None:
        """See :class:`~recsys.training.optimizers.row_rule.RowKernels`."""
        torch.ops.recsys.adam_update(ids, grad, *tables, last, steps, step_settings(settings, step))


def step_settings(settings: Mapping[str, Any], step: int) -> list[float]:
    """What a step does to averages and weights, as numbers.

    Args:
        settings: the optimiser's group.
        step: from 1.
    """
    beta1, beta2 = (number(beta) for beta in settings["betas"])
    lr = number(settings["lr"])
    averages = [beta1, 1 - beta1, beta2, 1 - beta2]
    rates = [1 - lr * settings["weight_decay"], lr / (1 - beta1**step), (1 - beta2**step) ** -0.5]
    return [*averages, *rates, settings["eps"]]


@compiled
def advance_coefficients(table, moments, steps, first, betas, decay, rate, root):  # type: ignore[no-untyped-def]
    """See :meth:`recsys.training.optimizers.adam.AdamRule.advance`, of which this is the loop.

    Args:
        table: the coefficients, shape [S + 1, C], float64.
        moments: shape [6, S + 1], float64.
        steps: S.
        first: steps before this one are so long ago that the new one adds nothing.
        betas: of Adam.
        decay: by what AdamW multiplies weights.
        rate: of the step.
        root: ``sqrt(1 - beta2 ** step)``.
    """
    for i in range(steps):
        of = table[i]
        of[0] *= decay
        of[6] *= decay
        of[7] *= betas[0]
        of[8] *= betas[1]
    if decay != 1:
        for n in range(6):
            for i in range(steps):
                moments[n, i] *= decay
    for i in range(first, steps):
        of = table[i]
        y = root / np.sqrt(of[8])
        term = rate * of[7] * y
        for n in range(6):
            moments[n, i] += term
            term *= y
        total = moments[0, i]
        of[0] = total
        if total > 0:
            m, s, t, f, q = (
                moments[1, i] / total,
                moments[2, i] / total,
                moments[3, i] / total,
                moments[4, i] / total,
                moments[5, i] / total,
            )
            of[1], of[2], of[3] = m, s - m**2, t - 3 * m * s + 2 * m**3
            of[4] = f - 4 * m * t + 6 * m**2 * s - 3 * m**4
            of[5] = q - 5 * m * f + 10 * m**2 * t - 10 * m**3 * s + 4 * m**5
        else:
            of[1], of[2], of[3], of[4], of[5] = 1.0, 0.0, 0.0, 0.0, 0.0
