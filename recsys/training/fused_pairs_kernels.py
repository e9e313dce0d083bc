"""Loss and gradients of sampled negatives in one compiled pass over a batch. Needs Numba.

It is the operator ``recsys::fused_pairs`` of PyTorch, so that whatever watches operators sees it.

Shape suffixes: B positives of a batch, N items of each (the positive first), U users, I items, D dim.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

from recsys.training.compiled_loops import LIBRARY, compiled

_fast = partial(compiled, any_order=True)


@_fast
def _dot(left, right):  # type: ignore[no-untyped-def]
    total = left.dtype.type(0)
    for d in range(len(left)):
        total += left[d] * right[d]
    return total


@_fast
def _softplus(x, one):  # type: ignore[no-untyped-def]
    small = np.exp(-abs(x))  # never overflows
    share = one / (one + small)
    if x > 0:
        return x + np.log1p(small), share
    return np.log1p(small), small * share


@_fast
def _of_differences(scores, grads, scale):  # type: ignore[no-untyped-def]
    one = scores.dtype.type(1)
    total, of_positive = 0.0, one - one
    for n in range(1, len(scores)):
        value, slope = _softplus(scores[n] - scores[0], one)
        total += value
        grads[n] = slope * scale
        of_positive -= grads[n]
    grads[0] = of_positive
    return total


@_fast
def _of_scores(scores, grads, scale):  # type: ignore[no-untyped-def]
    one = scores.dtype.type(1)
    total, slope = _softplus(-scores[0], one)
    grads[0] = -slope * scale
    for n in range(1, len(scores)):
        value, slope = _softplus(scores[n], one)
        total += value
        grads[n] = slope * scale
    return total


@_fast
def _add_biases(scores, user, items, biases):  # type: ignore[no-untyped-def]
    user_bias, item_bias, global_bias = biases
    for n in range(len(scores)):
        scores[n] += user_bias[user, 0] + item_bias[items[n], 0] + global_bias[0]


@_fast
def _bias_gradients(grads, user, items, into, places):  # type: ignore[no-untyped-def]
    user_grad, item_grad, global_grad = into
    total = grads[0]
    for n in range(1, len(grads)):
        total += grads[n]
    of_user, first = places
    if of_user < 0:
        user_grad[user, 0] += total
    else:
        user_grad[of_user, 0] = total
    for n in range(len(grads)):
        if first < 0:
            item_grad[items[n], 0] += grads[n]
        else:
            item_grad[first + n, 0] = grads[n]
    global_grad[0] += total


@_fast
def _add_gradients(vector, row, grad, penalty, of_user, of_item):  # type: ignore[no-untyped-def]
    for d in range(len(vector)):
        value = row[d]
        of_user[d] += grad * value
        of_item[d] += grad * vector[d] + penalty * value


@_fast
def _set_gradients(vector, row, grad, penalty, of_user, of_item):  # type: ignore[no-untyped-def]
    for d in range(len(vector)):
        value = row[d]
        of_user[d] += grad * value
        of_item[d] = grad * vector[d] + penalty * value


@_fast
def _gradients(vector, items, item_weight, slopes, penalties, of_user, item_grad, first):  # type: ignore[no-untyped-def]
    user_penalty, item_penalty = penalties
    if user_penalty > 0:
        for d in range(len(vector)):
            of_user[d] += user_penalty * vector[d]
    for n in range(len(items)):
        item = items[n]
        if first < 0:
            _add_gradients(vector, item_weight[item], slopes[n], item_penalty, of_user, item_grad[item])
        else:
            _set_gradients(vector, item_weight[item], slopes[n], item_penalty, of_user, item_grad[first + n])


@_fast
def _pass(users, items, weights, grads, biases, bias_grads, by_rows, settings):  # type: ignore[no-untyped-def]
    user_weight, item_weight = weights
    user_grad, item_grad = grads
    user_rows, item_rows, user_bias_rows, item_bias_rows = by_rows
    differences, scale, l2, biased = settings
    number = user_weight.dtype.type
    num_users, num_items, width = len(user_weight), len(item_weight), items.shape[1]
    scores, slopes = np.empty(width, user_weight.dtype), np.empty(width, user_weight.dtype)
    pairs = len(users) * width
    user_penalty, item_penalty, factor = number(2 * l2 / len(users)), number(2 * l2 / pairs), number(scale)
    total, user_norms, item_norms = 0.0, 0.0, 0.0
    for b in range(len(users)):
        user, of_user = users[b], items[b]
        if user < 0 or user >= num_users:
            return total, False
        vector = user_weight[user]
        for n in range(width):
            if of_user[n] < 0 or of_user[n] >= num_items:
                return total, False
            scores[n] = _dot(vector, item_weight[of_user[n]])
        if biased:
            _add_biases(scores, user, of_user, biases)
        total += _of_differences(scores, slopes, factor) if differences else _of_scores(scores, slopes, factor)
        if biased:
            places = (b if user_bias_rows else -1, b * width if item_bias_rows else -1)
            _bias_gradients(slopes, user, of_user, bias_grads, places)
        if l2 > 0:
            user_norms += _dot(vector, vector)
            for n in range(width):
                row = item_weight[of_user[n]]
                item_norms += _dot(row, row)
        of_rows = user_grad[b if user_rows else user]
        if user_rows:
            of_rows[:] = 0
        first = b * width if item_rows else -1
        _gradients(vector, of_user, item_weight, slopes, (user_penalty, item_penalty), of_rows, item_grad, first)
    return total * scale + l2 * (user_norms / len(users) + item_norms / pairs), True


_GRADS = "Tensor(a!) user_grad, Tensor(b!) item_grad"
_BIASES = "Tensor user_bias, Tensor item_bias, Tensor global_bias"
_BIAS_GRADS = "Tensor(c!) user_bias_grad, Tensor(d!) item_bias_grad, Tensor(e!) global_bias_grad"
LIBRARY.define(
    f"fused_pairs(Tensor user_ids, Tensor item_ids, Tensor user_weight, Tensor item_weight, {_GRADS}, {_BIASES}, "
    f"{_BIAS_GRADS}, bool[] by_rows, bool differences, float scale, float l2) -> float"
)


def _run(users: Tensor, items: Tensor, *rest: Any) -> float:
    *tables, by_rows, differences, scale, l2 = rest
    arrays = [table.numpy() for table in tables]
    weights, grads, biases, bias_grads = arrays[:2], arrays[2:4], arrays[4:7], arrays[7:]
    settings = (differences, scale, l2, len(biases[2]) > 0)
    groups = (tuple(group) for group in (weights, grads, biases, bias_grads, by_rows))
    loss, inside = _pass(users.numpy(), items.numpy(), *groups, settings)
    if not inside:
        raise IndexError("A user or an item of the batch is not in the table of its vectors.")
    return float(loss)


LIBRARY.impl("fused_pairs", _run, "CPU")
