"""What towers over pairs need besides products of matrices, as compiled loops. Needs Numba.

Each goes over the arrays of a block once. Zeros and ones of dropout are int8; where there is no dropout, their array is
empty.

Shape suffixes: B users of a block, N items of each, P = B * N pairs, D dim, H units of a layer, I rows of a table.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from recsys.training.compiled_loops import compiled, prefetch_row
from recsys.training.fused.pair_kernels import of_differences, of_scores

#: How many rows ahead the processor is asked for one.
AHEAD = 8

_fast = partial(compiled, any_order=True)


@_fast
def number_rows(ids, places, slots, rows):  # type: ignore[no-untyped-def]
    """Number the distinct rows of a batch in the order in which they come.

    Args:
        ids: rows of a table, shape [M], int64.
        places: shape [I], int32, -1 before and afterwards.
        slots: receives the number of each of ``ids``, shape [M], int64.
        rows: receives the distinct ones, shape [M], int64.

    Returns:
        How many there are; -1 where one of ``ids`` is not in the table.
    """
    count, inside = 0, True
    for i in range(len(ids)):
        row = ids[i]
        if row < 0 or row >= len(places):
            inside = False
            break
        if places[row] < 0:
            places[row] = count
            rows[count] = row
            count += 1
        slots[i] = places[row]
    for place in range(count):
        places[rows[place]] = -1
    return count if inside else -1


@_fast
def _keep(row, of_row):  # type: ignore[no-untyped-def]
    for d in range(len(row)):
        row[d] *= of_row[d]


@_fast
def gather(ids, table, kept, out):  # type: ignore[no-untyped-def]
    """Copy rows to ``out``, without what dropout drops; returns the sum of the squares of whole rows."""
    squares, drops = 0.0, len(kept) > 0
    of_rows = kept.reshape(out.shape if drops else (0, out.shape[1]))
    for i in range(len(ids)):
        if i + AHEAD < len(ids):
            prefetch_row(table, ids[i + AHEAD])
        row, copy = table[ids[i]], out[i]
        total = table.dtype.type(0)
        for d in range(len(row)):
            copy[d] = row[d]
            total += row[d] * row[d]
        squares += total
        if drops:
            _keep(copy, of_rows[i])
    return squares


@_fast
def rectify_first(first, of_users, width, kept):  # type: ignore[no-untyped-def]
    """Set ``first`` (shape [P, H]) to the rectified sum with the part of its user (shape [B, H])."""
    zero, drops = first.dtype.type(0), len(kept) > 0
    of_rows = kept.reshape(first.shape if drops else (0, first.shape[1]))
    for p in range(len(first)):
        row, of_user = first[p], of_users[p // width]
        for h in range(len(row)):
            row[h] = max(row[h] + of_user[h], zero)
        if drops:
            _keep(row, of_rows[p])


@_fast
def rectify(units, bias, kept):  # type: ignore[no-untyped-def]
    """Set ``units`` (shape [P, H]) to the rectified sum with ``bias``."""
    zero, drops = units.dtype.type(0), len(kept) > 0
    of_rows = kept.reshape(units.shape if drops else (0, units.shape[1]))
    for p in range(len(units)):
        row = units[p]
        for h in range(len(row)):
            row[h] = max(row[h] + bias[h], zero)
        if drops:
            _keep(row, of_rows[p])


@_fast
def add_output(units, weight, bias, scores):  # type: ignore[no-untyped-def]
    """Add a layer of one unit to ``scores``, shape [P]."""
    for p in range(len(units)):
        row = units[p]
        total = bias[0]
        for h in range(len(row)):
            total += row[h] * weight[h]
        scores[p] += total


@_fast
def output_gradients(slopes, units, weight, of_units, of_weight, of_bias, of_layer_bias):  # type: ignore[no-untyped-def]
    """The way backward through a layer of one unit and the rectifier below it.

    Args:
        slopes: derivatives of the loss by the scores, shape [P].
        units: below, shape [P, H].
        weight: shape [H].
        of_units: receives the gradient of what was rectified, shape [P, H].
        of_weight: is added to, shape [H].
        of_bias: is added to, shape [1].
        of_layer_bias: of the layer below, is added to, shape [H].
    """
    zero = units.dtype.type(0)
    for p in range(len(units)):
        row, into, slope = units[p], of_units[p], slopes[p]
        for h in range(len(row)):
            grad = slope * weight[h] if row[h] > zero else zero
            into[h] = grad
            of_weight[h] += slope * row[h]
            of_layer_bias[h] += grad
        of_bias[0] += slope


@_fast
def rectifier_gradients(grad, units, of_bias):  # type: ignore[no-untyped-def]
    """Set ``grad`` to zero where a unit is, by the rectifier or by dropout, and add it to ``of_bias``."""
    zero = grad.dtype.type(0)
    for p in range(len(grad)):
        row, unit = grad[p], units[p]
        for h in range(len(row)):
            row[h] = row[h] if unit[h] > zero else zero
        for h in range(len(row)):
            of_bias[h] += row[h]


@_fast
def sum_of_items(grad, width, sums):  # type: ignore[no-untyped-def]
    """Sum the rows of each user, from shape [P, H] to ``sums``, shape [B, H]."""
    for b in range(len(sums)):
        into, row = sums[b], grad[b * width]
        for h in range(len(row)):
            into[h] = row[h]
        for n in range(1, width):
            row = grad[b * width + n]
            for h in range(len(row)):
                into[h] += row[h]


@_fast
def add_rows(ids, slots, grad, kept, table, penalty, into):  # type: ignore[no-untyped-def]
    """Add gradients (shape [M, D]) and the penalty of rows to those at ``slots``, without what dropout has dropped."""
    drops = len(kept) > 0
    of_rows = kept.reshape(grad.shape if drops else (0, grad.shape[1]))
    for i in range(len(ids)):
        row, of, total = table[ids[i]], grad[i], into[slots[i]]
        if drops:
            _keep(of, of_rows[i])
        if penalty > 0:
            for d in range(len(row)):
                total[d] += of[d] + penalty * row[d]
        else:
            for d in range(len(row)):
                total[d] += of[d]


@_fast
def add_products(users, items, user_table, item_table, weight, bias, scores):  # type: ignore[no-untyped-def]
    """Add ``sum_d w_d p_ud q_id + b`` to ``scores``, shape [P]; returns sums of squares of rows of users and items."""
    number = user_table.dtype.type
    width = len(items) // len(users)
    user_squares, item_squares = 0.0, 0.0
    weighted = np.empty_like(weight)
    for b in range(len(users)):
        vector, squares = user_table[users[b]], number(0)
        for d in range(len(vector)):
            weighted[d] = vector[d] * weight[d]
            squares += vector[d] * vector[d]
        user_squares += squares
        for n in range(width):
            place = b * width + n
            if place + AHEAD < len(items):
                prefetch_row(item_table, items[place + AHEAD])
            row, product, squares = item_table[items[place]], number(0), number(0)
            for d in range(len(row)):
                product += weighted[d] * row[d]
                squares += row[d] * row[d]
            scores[place] += product + bias[0]
            item_squares += squares
    return user_squares, item_squares


@_fast
def product_gradients(users, items, slots, tables, weight, slopes, penalties, into, of_weight, of_bias):  # type: ignore[no-untyped-def]
    """Add the gradients of the rows, of the weight and of the bias of :func:`add_products`."""
    (user_table, item_table), (user_slots, item_slots) = tables, slots
    (user_grad, item_grad), (user_penalty, item_penalty) = into, penalties
    width = len(items) // len(users)
    sums, weighted = np.empty_like(weight), np.empty_like(weight)
    for b in range(len(users)):
        vector = user_table[users[b]]
        for d in range(len(vector)):
            sums[d] = 0
            weighted[d] = vector[d] * weight[d]
        for n in range(width):
            place = b * width + n
            row, slope, total = item_table[items[place]], slopes[place], item_grad[item_slots[place]]
            for d in range(len(row)):
                value = row[d]
                sums[d] += slope * value
                total[d] += slope * weighted[d] + item_penalty * value
            of_bias[0] += slope
        of_user = user_grad[user_slots[b]]
        for d in range(len(vector)):
            of_user[d] += sums[d] * weight[d] + user_penalty * vector[d]
            of_weight[d] += sums[d] * vector[d]


@_fast
def slopes_of(scores, slopes, scale, differences):  # type: ignore[no-untyped-def]
    """Write the slopes of the loss by the scores of a block (shape [B, N], the positives first); returns its sum."""
    total = 0.0
    for b in range(len(scores)):
        if differences:
            total += of_differences(scores[b], slopes[b], scale)
        else:
            total += of_scores(scores[b], slopes[b], scale)
    return total
