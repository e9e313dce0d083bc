"""Loss and gradients of sampled negatives in one compiled pass over a batch. Needs Numba.

It is the operator ``recsys::fused_pairs`` of PyTorch, so that whatever watches operators sees it. Where gradients are
those of rows, each distinct row of the batch has one: ``places`` (shape [U] or [I], int32, -1 before and afterwards)
says where, ``rows`` receives which they are, and the last two numbers that come out are how many.

Shape suffixes: B positives of a batch, N items of each (the positive first), U users, I items, D dim.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

from recsys.training.compiled_loops import compiled, prefetch_row
from recsys.training.operator_library import LIBRARY

#: How many positives ahead rows are asked for.
AHEAD = 4

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
def of_differences(scores, grads, scale):  # type: ignore[no-untyped-def]
    """The softplus of each negative's score less that of the first, the positive; its slopes, times ``scale``."""
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
def of_scores(scores, grads, scale):  # type: ignore[no-untyped-def]
    """The softplus of each negative's score and of minus the first, the positive's; its slopes, times ``scale``."""
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
def _place(row, places, found):  # type: ignore[no-untyped-def]
    """Where the gradient of a row is, and whether it is the first time that the batch has the row."""
    rows, count = found
    place = places[row]
    if place >= 0:
        return place, False
    place = count[0]
    count[0] = place + 1
    places[row], rows[place] = place, row
    return place, True


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
def _user_gradient(vector, penalty, of_user, first):  # type: ignore[no-untyped-def]
    """Begin the gradient of a user, or go on with it."""
    if first:
        for d in range(len(vector)):
            of_user[d] = penalty * vector[d]
    elif penalty > 0:
        for d in range(len(vector)):
            of_user[d] += penalty * vector[d]


@_fast
def _add_or_set(grad, place, first, value):  # type: ignore[no-untyped-def]
    if first:
        grad[place, 0] = value
    else:
        grad[place, 0] += value


@_fast
def _ask_for(user, items, weights):  # type: ignore[no-untyped-def]
    """Ask the processor for the rows of pairs that come soon; what is in no table is refused when it comes."""
    user_weight, item_weight = weights
    if 0 <= user < len(user_weight):
        prefetch_row(user_weight, user)
    for n in range(len(items)):
        if 0 <= items[n] < len(item_weight):
            prefetch_row(item_weight, items[n])


@_fast
def add_pass(users, items, weights, grads, biases, bias_grads, user_found, item_found, by_rows, settings):  # type: ignore[no-untyped-def]
    """The loss of a batch with its penalty, and whether all rows are in their tables; adds to the gradients.

    ``by_rows`` says for users, items and both biases whether gradients are those of the distinct rows of the batch.
    Then ``found`` has where each row's is (-1 before), which rows they are, and how many.
    """
    user_weight, item_weight = weights
    user_grad, item_grad = grads
    user_bias_grad, item_bias_grad, global_grad = bias_grads
    user_places, user_new = user_found
    item_places, item_new = item_found
    user_rows, item_rows, user_bias_rows, item_bias_rows = by_rows
    differences, scale, l2, biased = settings
    number = user_weight.dtype.type
    num_users, num_items, width = len(user_weight), len(item_weight), items.shape[1]
    scores, slopes = np.empty(width, user_weight.dtype), np.empty(width, user_weight.dtype)
    pairs = len(users) * width
    user_penalty, item_penalty, factor = number(2 * l2 / len(users)), number(2 * l2 / pairs), number(scale)
    total, user_norms, item_norms, zero = 0.0, 0.0, 0.0, number(0)
    for b in range(len(users)):
        user, of_user = users[b], items[b]
        if b + AHEAD < len(users):
            _ask_for(users[b + AHEAD], items[b + AHEAD], weights)
        if user < 0 or user >= num_users:
            return total, False
        vector = user_weight[user]
        for n in range(width):
            if of_user[n] < 0 or of_user[n] >= num_items:
                return total, False
            scores[n] = _dot(vector, item_weight[of_user[n]])
        if biased:
            _add_biases(scores, user, of_user, biases)
        total += of_differences(scores, slopes, factor) if differences else of_scores(scores, slopes, factor)
        if l2 > 0:
            user_norms += _dot(vector, vector)
            for n in range(width):
                row = item_weight[of_user[n]]
                item_norms += _dot(row, row)
        place, first = _place(user, user_places, user_new) if user_rows or user_bias_rows else (user, False)
        of_vector = user_grad[place if user_rows else user]
        _user_gradient(vector, user_penalty, of_vector, first and user_rows)
        of_all = zero
        for n in range(width):
            item, slope = of_user[n], slopes[n]
            row = item_weight[item]
            at, new = _place(item, item_places, item_new) if item_rows or item_bias_rows else (item, False)
            if new and item_rows:
                _set_gradients(vector, row, slope, item_penalty, of_vector, item_grad[at])
            else:
                _add_gradients(vector, row, slope, item_penalty, of_vector, item_grad[at if item_rows else item])
            if biased:
                of_all += slope
                _add_or_set(item_bias_grad, at if item_bias_rows else item, new and item_bias_rows, slope)
        if biased:
            _add_or_set(user_bias_grad, place if user_bias_rows else user, first and user_bias_rows, of_all)
            global_grad[0] += of_all
    return total * scale + l2 * (user_norms / len(users) + item_norms / pairs), True


@_fast
def forget(found):  # type: ignore[no-untyped-def]
    """Begin anew with the distinct rows of a batch."""
    places, (rows, count) = found
    for place in range(count[0]):
        places[rows[place]] = -1
    count[0] = 0


_GRADS = "Tensor(a!) user_grad, Tensor(b!) item_grad"
_BIASES = "Tensor user_bias, Tensor item_bias, Tensor global_bias"
_BIAS_GRADS = "Tensor(c!) user_bias_grad, Tensor(d!) item_bias_grad, Tensor(e!) global_bias_grad"
_FOUND = "Tensor(f!) user_places, Tensor(g!) item_places, Tensor(h!) user_rows, Tensor(i!) item_rows"
LIBRARY.define(
    f"fused_pairs(Tensor user_ids, Tensor item_ids, Tensor user_weight, Tensor item_weight, {_GRADS}, {_BIASES}, "
    f"{_BIAS_GRADS}, {_FOUND}, bool[] by_rows, bool differences, float scale, float l2) -> (float, int, int)"
)


def _run(users: Tensor, items: Tensor, *rest: Any) -> tuple[float, int, int]:
    *tables, by_rows, differences, scale, l2 = rest
    arrays = [table.numpy() for table in tables]
    weights, grads, biases, bias_grads = arrays[:2], arrays[2:4], arrays[4:7], arrays[7:10]
    found = [(places, (rows, np.zeros(1, np.int64))) for places, rows in zip(arrays[10:12], arrays[12:], strict=True)]
    settings = (differences, scale, l2, len(biases[2]) > 0)
    groups = (tuple(group) for group in (weights, grads, biases, bias_grads, *found, by_rows))
    loss, inside = add_pass(users.numpy(), items.numpy(), *groups, settings)
    num_users, num_items = (int(count[0]) for _, (_, count) in found)
    for of_side in found:
        forget(of_side)
    if not inside:
        raise IndexError("A user or an item of the batch is not in the table of its vectors.")
    return float(loss), num_users, num_items


LIBRARY.impl("fused_pairs", _run, "CPU")
