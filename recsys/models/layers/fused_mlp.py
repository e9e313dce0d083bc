"""Multi-layer perceptrons over pairs of embeddings, fused with a hand-written backward pass for the CPU.

Autograd sees a single function from the tables to the scores. That avoids the overhead of some thirty small steps, and
most activations are updated in place. The gradients are the same sums.

Shape suffixes: B users of a batch, N items of each, D dim, H units of a layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from recsys.models.layers.dot_products import uses_manual_backward
from recsys.models.layers.dropout import draw_kept
from recsys.models.layers.embedding import Embedding, row_gradient


def supports_fused_training(users: Tensor, items: Tensor) -> bool:
    """Whether the functions of this module can be used for ``users`` and ``items`` in the current mode of PyTorch.

    They do not support autocast.
    """
    return uses_manual_backward(users, items) and items.numel() > 0 and not torch.is_autocast_enabled("cpu")


def _sum_of_items(rows: Tensor, size: torch.Size) -> Tensor:
    """Sum the rows of the N pairs of each user, from shape [B * N, H] to [B, H]."""
    # PyTorch's sum over a short dimension in the middle takes three times as long.
    return reduce(torch.add, rows.view(*size, -1).unbind(1))


class _WeightedProducts(torch.autograd.Function):
    """``sum_d w_d p_ud q_id + b``."""

    @staticmethod
    def forward(
        ctx: Any,
        user_table: Tensor,
        item_table: Tensor,
        users: Tensor,
        items: Tensor,
        by_rows: tuple[bool, bool],
        weight: Tensor,
        bias: Tensor,
    ) -> Tensor:
        ctx.by_rows = by_rows
        user_rows = functional.embedding(users, user_table)
        item_rows = functional.embedding(items, item_table)
        products = (user_rows * item_rows).flatten(0, 1)
        ctx.save_for_backward(user_table, item_table, users, items, weight, user_rows, item_rows, products)
        return torch.addmv(bias, products, weight[0]).view(items.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        user_table, item_table, users, items, weight, user_rows, item_rows, products = ctx.saved_tensors
        grad = grads[0].flatten()
        weighted = torch.outer(grad, weight[0]).view(item_rows.shape)
        of_users = _sum_of_items(weighted * item_rows, items.shape)
        of_items = weighted.mul_(user_rows).flatten(0, 1)
        return (
            row_gradient(user_table, users, of_users, ctx.by_rows[0]),
            row_gradient(item_table, items, of_items, ctx.by_rows[1]),
            None,
            None,
            None,
            (products.T @ grad)[None],
            grad.sum()[None],
        )


def weighted_products(
    user_vectors: Embedding, item_vectors: Embedding, output: nn.Linear, users: Tensor, items: Tensor
) -> Tensor:
    """A linear layer with one output over elementwise products: ``sum_d w_d p_ud q_id + b``.

    Args:
        user_vectors: table with D columns.
        item_vectors: table with D columns.
        output: from D units to one, with a bias.
        users: shape [B, 1], int64; see :func:`supports_fused_training`.
        items: shape [B, N], int64.

    Returns:
        Scores, shape [B, N].
    """
    by_rows = user_vectors.read(users), item_vectors.read(items)
    scores: Tensor = _WeightedProducts.apply(  # type: ignore[no-untyped-call]
        user_vectors.weight, item_vectors.weight, users, items, by_rows, output.weight, output.bias
    )
    return scores


def _rectifier_grad_(grad: Tensor, activation: Tensor) -> Tensor:
    """Set ``grad`` to zero in place where a unit is zero, by the rectifier or by dropout."""
    masked: Tensor = torch.ops.aten.threshold_backward.grad_input(grad, activation, 0, grad_input=grad)
    return masked


class _FusedPerceptron(torch.autograd.Function):
    """See :func:`pair_perceptron`; ``parameters`` are weight and bias of each layer, the item part having no bias."""

    @staticmethod
    def forward(
        ctx: Any,
        user_table: Tensor,
        item_table: Tensor,
        users: Tensor,
        items: Tensor,
        by_rows: tuple[bool, bool],
        dropout: float,
        *parameters: Tensor,
    ) -> Tensor:
        ctx.by_rows = by_rows
        user_weight, user_bias, item_weight, *hidden, output_weight, output_bias = parameters
        weights, biases = hidden[::2], hidden[1::2]
        user_rows = functional.embedding(users.flatten(), user_table)
        item_rows = functional.embedding(items.flatten(), item_table)
        masks: tuple[Tensor, ...] = ()
        scale = 1 / (1 - dropout)
        if dropout > 0:
            shapes = [user_rows.shape, item_rows.shape, *((len(item_rows), weight.shape[1]) for weight in weights)]
            counts = [rows * columns for rows, columns in shapes]
            kept = draw_kept(sum(counts), dropout).split(counts)
            user_mask, item_mask, *hidden_masks = (mask.view(shape) for mask, shape in zip(kept, shapes, strict=True))
            # Each mask is converted right before its use, so that it is still in cache.
            masks = user_mask.to(user_rows.dtype), item_mask.to(item_rows.dtype)
            user_rows.mul_(masks[0])
            item_rows.mul_(masks[1])
            # Scaling the weights is the same as scaling the inputs, and there are fewer weights.
            user_weight, item_weight, *weights = (weight * scale for weight in (user_weight, item_weight, *weights))
        activation = torch.mm(item_rows, item_weight.T)
        activation.view(*items.shape, -1).add_(torch.addmm(user_bias, user_rows, user_weight.T)[:, None])
        activations = [activation.relu_()]
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            if masks:
                activation.mul_(hidden_masks[layer].to(activation.dtype))
            activation = torch.addmm(bias, activation, weight.T).relu_()
            activations.append(activation)
        ctx.scale, ctx.depth = scale, len(weights)
        ctx.save_for_backward(
            *(user_table, item_table, users, items, user_rows, item_rows),
            *(user_weight, item_weight, output_weight, *weights, *activations, *masks),
        )
        return torch.addmv(output_bias, activation, output_weight[0]).view(items.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        user_table, item_table, users, items, user_rows, item_rows, *saved = ctx.saved_tensors
        user_weight, item_weight, output_weight, *saved = saved
        weights, activations = saved[: ctx.depth], saved[ctx.depth : 2 * ctx.depth + 1]
        masks = saved[2 * ctx.depth + 1 :]
        grad = grads[0].flatten()
        of_parameters = [(activations[-1].T @ grad)[None], grad.sum()[None]]
        grad = _rectifier_grad_(torch.outer(grad, output_weight[0]), activations[-1])
        for weight, below in zip(reversed(weights), reversed(activations[:-1]), strict=True):
            of_parameters[:0] = (grad.T @ below).mul_(ctx.scale), grad.sum(0)
            grad = _rectifier_grad_(grad @ weight, below)
        of_users = _sum_of_items(grad, items.shape)
        of_parameters[:0] = (
            (of_users.T @ user_rows).mul_(ctx.scale),
            of_users.sum(0),
            (grad.T @ item_rows).mul_(ctx.scale),
        )
        of_user_rows, of_item_rows = of_users @ user_weight, grad @ item_weight
        if masks:
            of_user_rows.mul_(masks[0])
            of_item_rows.mul_(masks[1])
        return (
            row_gradient(user_table, users, of_user_rows, ctx.by_rows[0]),
            row_gradient(item_table, items, of_item_rows, ctx.by_rows[1]),
            None,
            None,
            None,
            None,
            *of_parameters,
        )


def pair_perceptron(
    user_vectors: Embedding,
    item_vectors: Embedding,
    user_part: nn.Linear,
    item_part: nn.Linear,
    hidden: Sequence[nn.Module],
    output: nn.Linear,
    dropout: float,
    users: Tensor,
    items: Tensor,
) -> Tensor:
    """A perceptron ``w . relu(W_n ... relu(W_u p_u + W_i q_i + b_1)) + b``.

    Args:
        user_vectors: table with D columns.
        item_vectors: table with D columns.
        user_part: first layer's part of the user, with the bias of both.
        item_part: first layer's part of the item, without a bias.
        hidden: the linear layers between the first and the last, with biases.
        output: to one unit, with a bias.
        dropout: probability of dropping an element of the input of each layer except the last; below 1.
        users: shape [B, 1], int64; see :func:`supports_fused_training`.
        items: shape [B, N], int64.

    Returns:
        Scores, shape [B, N].
    """
    parameters = [parameter for layer in (*hidden, output) for parameter in (layer.weight, layer.bias)]
    by_rows = user_vectors.read(users), item_vectors.read(items)
    scores: Tensor = _FusedPerceptron.apply(  # type: ignore[no-untyped-call]
        *(user_vectors.weight, item_vectors.weight, users, items, by_rows, dropout),
        *(user_part.weight, user_part.bias, item_part.weight, *parameters),
    )
    return scores
