"""The loss of sampled negatives and its gradients in one pass over a batch, on the CPU.

Operators of PyTorch go over the rows of a batch a dozen times. Here the rows of a positive and its negatives are read
once, and while they are in the processor's cache, scores, loss, penalty and the gradients of all rows are computed
together. The sums are the same, up to rounding.

Shape suffixes: B positives of a batch, N items of each (the positive first).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from recsys.models.interface.factor_tables import FactorTables
from recsys.models.layers.embedding import tables_are_whole
from recsys.training.losses import softplus_form

#: Pairs of an epoch from which on compiled loops are used: loading them takes a second.
LEAST_PAIRS = 2**18


class _Pass(torch.autograd.Function):
    """The loss, with the gradients of tables that the same pass has found."""

    @staticmethod
    def forward(
        ctx: Any,
        users: Tensor,
        items: Tensor,
        by_rows: list[bool],
        settings: tuple[Any, ...],
        *weights: Tensor,
    ) -> Tensor:
        tables, ids = weights[:4], (users, items, users, items)
        grads = [_room(*of_table) for of_table in zip(tables, ids, by_rows, strict=False)]
        grads += [torch.zeros_like(weight) for weight in weights[4:]]
        empty = weights[0].new_empty(0, 1)
        none = [] if len(weights) > 2 else [empty, empty, empty[:, 0]]
        none_of_them = [] if len(weights) > 2 else [torch.empty_like(each) for each in none]
        loss = torch.ops.recsys.fused_pairs(
            *(users, items, *weights[:2], *grads[:2]),
            *(*weights[2:], *none, *grads[2:], *none_of_them),
            *(by_rows, *settings),
        )
        for number, (table, of_table, rows) in enumerate(zip(tables, ids, by_rows, strict=False)):
            if rows:
                grad = grads[number]
                grads[number] = torch.sparse_coo_tensor(
                    of_table.reshape(1, -1), grad, table.shape, check_invariants=False
                )
        ctx.found = grads
        return weights[0].new_tensor(loss)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        if ctx.found is None:
            raise RuntimeError("The gradients of this loss were given away. Compute the loss again.")
        # Nothing else may hold them, or each would be copied.
        found, ctx.found = ctx.found, None
        scale = float(grads[0])
        return None, None, None, None, *(found if scale == 1 else [grad * scale for grad in found])


def _room(weight: Tensor, ids: Tensor, by_rows: bool) -> Tensor:
    """Room for the gradient of a table: for its rows of the batch, or for the whole table, which is zero."""
    return weight.new_empty(ids.numel(), weight.shape[1]) if by_rows else torch.zeros_like(weight)


class FusedPairs:
    """The loss of a network over sampled negatives, wherever one pass can compute it.

    Args:
        tables: gives the tables of the network; None where its scores are not made of them, as with dropout.
        differences: the loss is ``softplus`` of differences of scores; otherwise of the scores.
        l2: weight of the penalty on the norms of the vectors.
    """

    def __init__(self, tables: Callable[[], FactorTables | None], differences: bool, l2: float) -> None:
        self._tables = tables
        self._differences = differences
        self._l2 = l2

    def loss(self, users: Tensor, items: Tensor) -> Tensor | None:
        """The mean loss of a batch with its penalty, a scalar; None where the plain way has to be taken.

        Args:
            users: shape [B], int64.
            items: the positive of each and its negatives, shape [B, N], int64.

        Raises:
            IndexError: a user or an item is not in its table.
        """
        if users.device.type != "cpu" or not torch.is_grad_enabled() or torch.is_autocast_enabled("cpu"):
            return None
        if not tables_are_whole():
            return None
        found = self._tables()
        if found is None:
            return None
        tables = [found.user_vectors, found.item_vectors]
        if found.user_bias is not None and found.item_bias is not None:
            tables += [found.user_bias, found.item_bias]
        weights: list[Tensor] = [table.weight for table in tables]
        if not all(map(_plain, weights)) or len({weight.dtype for weight in weights}) > 1:
            return None
        by_rows = [table.read(ids) for table, ids in zip(tables, (users, items) * 2, strict=False)]
        by_rows += [False] * (4 - len(by_rows))
        if found.global_bias is not None:
            weights.append(found.global_bias)
        count = len(users) * (items.shape[1] - 1 if self._differences else items.shape[1])
        settings = (self._differences, 1 / count, self._l2)
        loss: Tensor = _Pass.apply(users, items, by_rows, settings, *weights)  # type: ignore[no-untyped-call]
        return loss


def fused_pairs(network: nn.Module, loss: Any, l2: float, num_pairs: int) -> FusedPairs | None:
    """The fused pass for a training; None where there is none, or where it would not pay.

    Args:
        network: has ``factor_tables``, see :mod:`recsys.models.interface.protocols`.
        loss: of positives and negatives.
        l2: weight of the penalty.
        num_pairs: that an epoch scores.
    """
    form, tables = softplus_form(loss), getattr(network, "factor_tables", None)
    if form is None or tables is None or not _scores_by(type(network)):
        return None
    if num_pairs < LEAST_PAIRS or find_spec("numba") is None:
        return None
    from recsys.training import fused_pairs_kernels  # noqa: F401  # registers the operator

    return FusedPairs(tables, form == "differences", l2)


def _scores_by(network: type) -> bool:
    """Whether the tables belong to the way that a class scores, and not to a base whose scores it has replaced."""
    of_tables, of_scores = (
        next((base for base in network.__mro__ if name in vars(base)), object)
        for name in ("factor_tables", "score_pairs")
    )
    return issubclass(of_tables, of_scores)


def _plain(weight: Tensor) -> bool:
    return weight.device.type == "cpu" and weight.dtype in (torch.float32, torch.float64) and weight.is_contiguous()
