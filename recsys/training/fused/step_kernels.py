"""Whole steps of an optimiser, one after the other, in one compiled call. Needs Numba.

Each takes the loss and the gradients of a batch by the loop of :mod:`recsys.training.fused.pair_kernels`, and updates
the tables before the next. ``tables`` are those of users, of items and of the three biases (empty where there are
none), and ``settings`` whether the loss is of differences, the weight of the penalty, and whether there are biases.

Shape suffixes: M positives of all steps, N items of each (the positive first), B positives of a step.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from recsys.training.compiled_loops import compiled, prefetch_row
from recsys.training.fused.pair_kernels import AHEAD, add_pass, forget

_fast = partial(compiled, any_order=True)


@_fast
def _batch(users, items, start, size, tables, grads, found, by_rows, settings):  # type: ignore[no-untyped-def]
    """The loss of the batch that begins at ``start``, and whether all of its rows are in their tables."""
    differences, l2, biased = settings
    of_batch = users[start : start + size]
    scored = items.shape[1] - 1 if differences else items.shape[1]
    of_pass = (differences, 1 / (len(of_batch) * scored), l2, biased)
    return add_pass(
        of_batch,
        items[start : start + size],
        tables[:2],
        grads[:2],
        tables[2:],
        grads[2:],
        found[0],
        found[1],
        by_rows,
        of_pass,
    )


@_fast
def _descend(weight, grad, rate, found):  # type: ignore[no-untyped-def]
    rows, count = found
    for place in range(count[0]):
        if place + AHEAD < count[0]:
            prefetch_row(weight, rows[place + AHEAD])
        row, of_row = weight[rows[place]], grad[place]
        for d in range(len(row)):
            row[d] -= rate * of_row[d]


@_fast
def sgd_steps(users, items, size, tables, grads, found, settings, lr):  # type: ignore[no-untyped-def]
    """Steps of plain gradient descent over the touched rows.

    Args:
        users: shape [M], int64.
        items: shape [M, N], int64.
        size: B.
        tables: see the module.
        grads: room for those of a batch's distinct rows.
        found: see :mod:`recsys.training.fused.pair_kernels`, for users and for items.
        settings: see the module.
        lr: the learning rate.

    Returns:
        The sum of the losses of the steps; None where a row is not in its table.
    """
    total, biased, rate = 0.0, settings[2], tables[0].dtype.type(lr)
    grads[4][:] = 0
    for start in range(0, len(users), size):
        loss, inside = _batch(users, items, start, size, tables, grads, found, (True, True, True, True), settings)
        if not inside:
            return None
        total += loss
        _descend(tables[0], grads[0], rate, found[0][1])
        _descend(tables[1], grads[1], rate, found[1][1])
        if biased:
            _descend(tables[2], grads[2], rate, found[0][1])
            _descend(tables[3], grads[3], rate, found[1][1])
            tables[4][0] -= rate * grads[4][0]
            grads[4][0] = 0
        forget(found[0])
        forget(found[1])
    return total


@_fast
def _adam_whole(weight, grad, exp_avg, exp_avg_sq, settings):  # type: ignore[no-untyped-def]
    """Update all of a table, and forget its gradient."""
    beta1, rest1, beta2, rest2, decay, rate, scale, eps = settings
    for d in range(len(weight)):
        of = grad[d]
        average = exp_avg[d] * beta1 + of * rest1
        square = exp_avg_sq[d] * beta2 + of * of * rest2
        exp_avg[d], exp_avg_sq[d], grad[d] = average, square, 0
        weight[d] = weight[d] * decay - rate * average / (np.sqrt(square) * scale + eps)


@_fast
def adam_whole(weights, gradients, averages, squares, settings):  # type: ignore[no-untyped-def]
    """Update all of some tables, flat, and forget their gradients."""
    for table in range(len(weights)):
        _adam_whole(weights[table], gradients[table], averages[table], squares[table], settings)


@_fast
def adam_steps(users, items, size, tables, grads, found, settings, averages, squares, flat, adam):  # type: ignore[no-untyped-def]
    """Steps of Adam over whole tables.

    Args:
        users: shape [M], int64.
        items: shape [M, N], int64.
        size: B.
        tables: see the module.
        grads: of whole tables, zero before and afterwards.
        found: see :mod:`recsys.training.fused.pair_kernels`; not used.
        settings: see the module.
        averages: of the gradients of the tables, flat.
        squares: of their squares, flat.
        flat: the tables and ``grads``, flat.
        adam: learning rate, both betas, epsilon, by what AdamW multiplies weights, and the steps before.

    Returns:
        The sum of the losses of the steps; None where a row is not in its table.
    """
    total = 0.0
    lr, beta1, beta2, eps, decay, step = adam
    number = tables[0].dtype.type
    weights, gradients = flat
    for start in range(0, len(users), size):
        loss, inside = _batch(users, items, start, size, tables, grads, found, (False, False, False, False), settings)
        if not inside:
            return None
        total += loss
        step += 1
        rate, scale = number(lr / (1 - beta1**step)), number((1 - beta2**step) ** -0.5)
        of_step = (
            number(beta1),
            number(1 - beta1),
            number(beta2),
            number(1 - beta2),
            number(decay),
            rate,
            scale,
            number(eps),
        )
        adam_whole(weights, gradients, averages, squares, of_step)
    return total
