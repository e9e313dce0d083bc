"""A loss whose gradients were found together with it, as autograd takes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recsys.models.layers.embedding import Embedding


class _FoundGradients(torch.autograd.Function):
    """Gives its gradients away on the way backward."""

    @staticmethod
    def forward(ctx: Any, value: float, found: list[Tensor], *weights: Tensor) -> Tensor:
        ctx.found = found
        return weights[0].new_tensor(value)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        if ctx.found is None:
            raise RuntimeError("The gradients of this loss were given away. Compute the loss again.")
        # Nothing else may hold them, or each would be copied.
        found, ctx.found = ctx.found, None
        scale = float(grads[0])
        return None, None, *(found if scale == 1 else [grad * scale for grad in found])


def with_gradients(value: float, found: list[Tensor], weights: Sequence[Tensor]) -> Tensor:
    """A loss, a scalar, whose way backward gives each of ``weights`` its gradient, once.

    Args:
        value: of the loss.
        found: its gradients by ``weights``; sparse ones may be among them.
        weights: at least one.
    """
    loss: Tensor = _FoundGradients.apply(value, found, *weights)  # type: ignore[no-untyped-call]
    return loss


def gradient_room(weight: Tensor, ids: Tensor, by_rows: bool) -> Tensor:
    """Room for the gradient of a table: for its rows of a batch, or for the whole table, which is zero."""
    return weight.new_empty(ids.numel(), weight.shape[1]) if by_rows else torch.zeros_like(weight)


def as_table(weight: Tensor, ids: Tensor, grad: Tensor) -> Tensor:
    """The gradient of a table, sparse, from that of its rows ``ids`` (int64, M of any shape), shape [M, D]."""
    return torch.sparse_coo_tensor(ids.reshape(1, -1), grad, weight.shape, check_invariants=False)


def plain_table(table: Embedding) -> bool:
    """Whether loops over whole arrays can read a table: on the CPU, in single or double precision."""
    weight = table.weight
    return weight.device.type == "cpu" and weight.dtype in (torch.float32, torch.float64) and weight.is_contiguous()
