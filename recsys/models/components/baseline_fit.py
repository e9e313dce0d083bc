"""Biases of users and items by ridge regression.

Shape suffixes: M ratings, U users, I items, B histories.
"""

from __future__ import annotations

import torch
from torch import Tensor

from recsys.data.histories import Histories
from recsys.models.linalg.interaction_matrix import InteractionMatrix


def fit_biases(
    ratings: InteractionMatrix, mean: Tensor, user_l2: float, item_l2: float, epochs: int
) -> tuple[Tensor, Tensor]:
    """Minimise ``sum (r - mean - b_u - b_i)^2 + user_l2 |b_u|^2 + item_l2 |b_i|^2``.

    Alternating least squares: the biases of all items, then of all users are solved exactly, starting at zero, in
    float64. It converges to the joint minimum. Koren: Factor in the Neighbors (2010), section 2.1.

    Args:
        ratings: U rows, I columns.
        mean: the mean rating, a scalar.
        user_l2: added to the number of ratings of each user in the denominator.
        item_l2: the same for items.
        epochs: number of alternations.

    Returns:
        User biases, shape [U], and item biases, shape [I], float64.
    """
    rows, columns = ratings.rows, ratings.columns
    rest = ratings.values.double() - mean.double()
    user_weight = (ratings.counts + user_l2).double()
    item_weight = (ratings.column_counts() + item_l2).double()
    user_bias, item_bias = rest.new_zeros(len(ratings)), rest.new_zeros(ratings.num_columns)
    for _ in range(epochs):
        item_sum = torch.zeros_like(item_bias).index_add_(0, columns, rest - user_bias[rows])
        item_bias = item_sum / item_weight
        user_sum = torch.zeros_like(user_bias).index_add_(0, rows, rest - item_bias[columns])
        user_bias = user_sum / user_weight
    return user_bias, item_bias


def fold_in_bias(histories: Histories, mean: Tensor, item_bias: Tensor, user_l2: float) -> Tensor:
    """The biases of B users, shape [B], float32, given those of the items: one step of :func:`fit_biases`.

    Zero for an empty history and for histories without ratings.
    """
    bias = item_bias.new_zeros(len(histories))
    if histories.rating is None:
        return bias
    row = torch.repeat_interleave(torch.arange(len(histories), device=bias.device), histories.counts)
    bias.index_add_(0, row, histories.rating - mean - item_bias[histories.items])
    return bias / (histories.counts + user_l2)
