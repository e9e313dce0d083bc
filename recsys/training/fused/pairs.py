"""The loss of sampled negatives and its gradients in one pass over a batch, on the CPU.

Operators of PyTorch go over the rows of a batch a dozen times. Here the rows of a positive and its negatives are read
once, and while they are in the processor's cache, scores, loss, penalty and the gradients of all rows are computed
together. The sums are the same, up to rounding. Needs Numba.

Shape suffixes: B positives of a batch, N items of each (the positive first).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from recsys.models.interface.factor_tables import FactorTables
from recsys.training.fused import pair_kernels  # noqa: F401  # registers the operator
from recsys.training.fused.choice import one_pass_applies
from recsys.training.fused.found_gradients import as_table, gradient_room, plain_table, with_gradients


class FusedPairs:
    """The loss of a network over sampled negatives, wherever one pass can compute it.

    Args:
        tables: gives the tables of the network; None where its scores are not made of them, as with dropout.
        differences: the loss is ``softplus`` of differences of scores; otherwise of the scores.
        l2: weight of the penalty on the norms of the vectors.
    """

    def __init__(self, tables: Callable[[], FactorTables | None], differences: bool, l2: float) -> None:
        self.tables = tables
        self.differences = differences
        self.l2 = l2
        self._places: list[Tensor] = []

    def loss(self, users: Tensor, items: Tensor) -> Tensor | None:
        """The mean loss of a batch with its penalty, a scalar; None where the plain way has to be taken.

        Args:
            users: shape [B], int64.
            items: the positive of each and its negatives, shape [B, N], int64.

        Raises:
            IndexError: a user or an item is not in its table.
        """
        found = self.tables() if one_pass_applies(users) else None
        if found is None:
            return None
        tables = [found.user_vectors, found.item_vectors]
        if found.user_bias is not None and found.item_bias is not None:
            tables += [found.user_bias, found.item_bias]
        weights: list[Tensor] = [table.weight for table in tables]
        if not all(map(plain_table, tables)) or len({weight.dtype for weight in weights}) > 1:
            return None
        ids = (users, items) * (len(tables) // 2)
        by_rows = [table.read(of_table) for table, of_table in zip(tables, ids, strict=True)]
        grads = [gradient_room(*of_table) for of_table in zip(weights, ids, by_rows, strict=True)]
        if found.global_bias is not None:
            weights.append(found.global_bias)
            grads.append(torch.zeros_like(found.global_bias))
        value, distinct = self._pass(users, items, weights, grads, by_rows)
        for number, rows in enumerate(by_rows):
            if rows:
                of_rows = distinct[number % 2]
                grads[number] = as_table(weights[number], of_rows, grads[number][: len(of_rows)])
        return with_gradients(value, grads, weights)

    @torch.no_grad()
    def _pass(
        self, users: Tensor, items: Tensor, weights: list[Tensor], grads: list[Tensor], by_rows: list[bool]
    ) -> tuple[float, tuple[Tensor, Tensor]]:
        """The loss, and of which users and items gradients of rows are; writes the gradients."""
        empty = weights[0].new_empty(0, 1)
        none = [] if len(weights) > 2 else [empty, empty, empty[:, 0]]
        none_of_them = [] if len(weights) > 2 else [torch.empty_like(each) for each in none]
        count = len(users) * (items.shape[1] - 1 if self.differences else items.shape[1])
        places = self.places([len(weight) for weight in weights[:2]])
        found = [torch.empty_like(users), items.new_empty(items.numel())]
        value, num_users, num_items = torch.ops.recsys.fused_pairs(
            *(users, items, *weights[:2], *grads[:2]),
            *(*weights[2:], *none, *grads[2:], *none_of_them),
            *(*places, *found, [*by_rows, False, False][:4], self.differences, 1 / count, self.l2),
        )
        return value, (found[0][:num_users], found[1][:num_items])

    def places(self, sizes: list[int]) -> list[Tensor]:
        """Where the gradients of users and items are in a pass, -1 before and afterwards; shapes [U] and [I], int32.

        Args:
            sizes: U and I.
        """
        if [len(places) for places in self._places] != sizes:
            self._places = [torch.full((size,), -1, dtype=torch.int32) for size in sizes]
        return self._places
