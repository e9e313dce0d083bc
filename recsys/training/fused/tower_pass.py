"""All towers of a network over a batch, in blocks of pairs. Needs Numba.

Shape suffixes: B positives of a batch, N items of each (the positive first), D dim.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor

from recsys.training.fused import tower_kernels as kernels
from recsys.training.fused.tower_blocks import Block, PerceptronBlocks, ProductBlocks, RowGradients, TowerBlocks

#: Pairs of a block.
BLOCK_PAIRS = 512


class TowerPass:
    """Goes over batches, one after the other, with the room for a block's activations made once.

    Args:
        user_weights: tables of users, tower by tower; their rows and the parameters may change in place.
        item_weights: tables of items.
        user_grads: receive what is added to the gradients of users.
        item_grads: of items.
        parameters: of the layers, tower by tower.
        parameter_grads: of ``parameters``.
        by_rows: whether each of the gradients is that of the distinct rows of a batch, users and items in turn.
        product: whether the first tower is one of products.
        dropout: of the perceptron.
        num_items: N.
    """

    def __init__(
        self,
        user_weights: list[Tensor],
        item_weights: list[Tensor],
        user_grads: list[Tensor],
        item_grads: list[Tensor],
        parameters: list[Tensor],
        parameter_grads: list[Tensor],
        by_rows: list[bool],
        product: bool,
        dropout: float,
        num_items: int,
    ) -> None:
        users, items = (
            [RowGradients(weight.numpy(), grad.numpy()) for weight, grad in zip(*of_side, strict=True)]
            for of_side in ((user_weights, user_grads), (item_weights, item_grads))
        )
        tables, first = list(zip(users, items, strict=True)), 2 if product else 0
        self._width, self._by_rows = num_items, by_rows
        self._number = users[0].weight.dtype.type
        self._towers: list[TowerBlocks] = []
        if product:
            self._towers.append(ProductBlocks(0, tables[0], parameters[:2], parameter_grads[:2]))
        if len(parameters) > first:
            layers = parameters[first:], parameter_grads[first:]
            self._towers.append(PerceptronBlocks(len(self._towers), tables[-1], *layers, dropout, num_items))

    def over(
        self, users: Tensor, items: Tensor, user_slots: Tensor, item_slots: Tensor, differences: bool, l2: float
    ) -> float:
        """The mean loss of a batch with its penalty; adds to the gradients.

        Args:
            users: shape [B], int64.
            items: shape [B, N], int64.
            user_slots: the numbers of the users among the distinct ones of the batch, shape [B], int64.
            item_slots: those of the items, shape [B * N], int64.
            differences: the loss is ``softplus`` of differences of scores; otherwise of the scores.
            l2: weight of the penalty on the norms of the vectors.
        """
        batch, width, number = len(users), self._width, self._number
        size = max(1, BLOCK_PAIRS // width)
        penalties = number(2 * l2 / batch), number(2 * l2 / (batch * width))
        scale = number(1 / (batch * (width - 1 if differences else width)))
        all_users, all_items = users.numpy(), items.numpy().reshape(-1)
        of_users, of_items = user_slots.numpy(), item_slots.numpy()
        total, user_squares, item_squares = 0.0, 0.0, 0.0
        starts = range(0, batch, size)
        for tower in self._towers:
            tower.begin([min(size, batch - start) for start in starts])
        for start in starts:
            of_block, of_pairs = slice(start, start + size), slice(start * width, (start + size) * width)
            ids = all_users[of_block], all_items[of_pairs]
            block = Block(
                *ids,
                [of_users[of_block] if rows else ids[0] for rows in self._by_rows[::2]],
                [of_items[of_pairs] if rows else ids[1] for rows in self._by_rows[1::2]],
                penalties,
            )
            scores = np.zeros((len(ids[0]), width), number)
            slopes = np.empty_like(scores)
            for tower in self._towers:
                squares = tower.forward(block, scores.reshape(-1))
                user_squares, item_squares = user_squares + squares[0], item_squares + squares[1]
            total += kernels.slopes_of(scores, slopes, scale, differences)
            for tower in self._towers:
                tower.backward(block, slopes.reshape(-1))
        return float(total * scale + l2 * (user_squares / batch + item_squares / (batch * width)))
