"""Towers over pairs of embeddings, forward and backward for one block of pairs after the other, by Numba on the CPU.

A block is small enough for its activations to stay in the processor's cache, so that of a batch only the rows of tables
and their gradients go through memory. Products of matrices are PyTorch's, all else is compiled loops.

Shape suffixes: B users of a block, N items of each, P = B * N pairs, D dim, H units of a layer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recsys.training.fused import tower_kernels as kernels
from recsys.training.fused.dropout_bits import draw_bits

Array = npt.NDArray[Any]

#: What dropout keeps where there is none.
_NONE = np.empty(0, np.int8)


@dataclass(frozen=True, slots=True)
class RowGradients:
    """The rows of a table of users or items, and where their gradients go.

    Args:
        weight: the table, with D columns.
        grad: the gradients of its rows, which are added to.
    """

    weight: Array
    grad: Array


@dataclass(frozen=True, slots=True)
class Block:
    """A block of pairs.

    Args:
        users: shape [B], int64.
        items: shape [P], int64.
        user_slots: the rows of the users' gradients, shape [B], int64, by the towers' tables in turn.
        item_slots: the rows of the items' gradients, shape [P], int64, by the towers' tables in turn.
        penalties: by which rows of users and of items are multiplied for the gradient of their penalty, each time that
            they come.
    """

    users: Array
    items: Array
    user_slots: Sequence[Array]
    item_slots: Sequence[Array]
    penalties: tuple[np.floating[Any], np.floating[Any]]


class TowerBlocks(ABC):
    """A tower, one block of pairs at a time: :meth:`forward`, then :meth:`backward` of the same block."""

    @abstractmethod
    def begin(self, blocks: Sequence[int]) -> None:
        """Take in the parameters of now, before the first block of a batch.

        Args:
            blocks: users of each block, B.
        """

    @abstractmethod
    def forward(self, block: Block, scores: Array) -> tuple[float, float]:
        """Add the scores of a block to ``scores``, shape [P].

        Returns:
            The sums of the squares of the users' and of the items' rows.
        """

    @abstractmethod
    def backward(self, block: Block, slopes: Array) -> None:
        """Add to the gradients of the rows and of the layers; ``slopes`` of the loss by the scores, shape [P]."""


class ProductBlocks(TowerBlocks):
    """``sum_d w_d p_ud q_id + b``.

    Args:
        number: of the tower among a network's.
        tables: of users and of items.
        parameters: weight, shape [1, D], and bias, shape [1].
        grads: those of ``parameters``, which are added to.
    """

    def __init__(
        self, number: int, tables: tuple[RowGradients, RowGradients], parameters: list[Tensor], grads: list[Tensor]
    ) -> None:
        self._number = number
        self._users, self._items = tables
        self._weight, self._bias = parameters[0].numpy()[0], parameters[1].numpy()
        self._of_weight, self._of_bias = grads[0].numpy()[0], grads[1].numpy()

    def begin(self, blocks: Sequence[int]) -> None:
        """See :class:`TowerBlocks`; the parameters are read in place."""

    def forward(self, block: Block, scores: Array) -> tuple[float, float]:
        """See :class:`TowerBlocks`."""
        tables = self._users.weight, self._items.weight
        found: tuple[float, float] = kernels.add_products(
            block.users, block.items, *tables, self._weight, self._bias, scores
        )
        return found

    def backward(self, block: Block, slopes: Array) -> None:
        """See :class:`TowerBlocks`."""
        users, items = self._users, self._items
        kernels.product_gradients(
            block.users,
            block.items,
            (block.user_slots[self._number], block.item_slots[self._number]),
            (users.weight, items.weight),
            self._weight,
            slopes,
            block.penalties,
            (users.grad, items.grad),
            self._of_weight,
            self._of_bias,
        )


class _Matrix:
    """A matrix of a block as PyTorch and as compiled loops see it, and its transpose."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor, self.transposed, self.array = tensor, tensor.T, tensor.numpy()


class _Room:
    """Matrices of a block, which the blocks of a batch use one after the other, so that they stay in cache.

    Args:
        like: of which type they are.
        users: B.
        pairs: P.
        dim: D.
        units: of each layer.
    """

    def __init__(self, like: Tensor, users: int, pairs: int, dim: int, units: Sequence[int]) -> None:
        def room(rows: int, columns: int) -> _Matrix:
            return _Matrix(like.new_empty(rows, columns))

        self.user_rows, self.item_rows = room(users, dim), room(pairs, dim)
        self.of_user_rows, self.of_item_rows = room(users, dim), room(pairs, dim)
        self.of_users, self.sums = room(users, units[0]), room(users, units[0])
        self.layers = [room(pairs, count) for count in units]
        self.of_layers = [room(pairs, count) for count in units]


class PerceptronBlocks(TowerBlocks):
    """``w . relu(W_n ... relu(W_u p_u + W_i q_i + b_1)) + b``.

    Args:
        number: of the tower among a network's.
        tables: of users and of items.
        parameters: weight and bias of each layer, the items' part of the first having no bias.
        grads: those of ``parameters``, which are added to.
        dropout: probability of dropping an element of the input of each layer except the last; below 1.
        width: N.
    """

    def __init__(
        self,
        number: int,
        tables: tuple[RowGradients, RowGradients],
        parameters: list[Tensor],
        grads: list[Tensor],
        dropout: float,
        width: int,
    ) -> None:
        self._number, self._width, self._dropout, self._scale = number, width, dropout, 1 / (1 - dropout)
        self._users, self._items = tables
        user_weight, self._user_bias, item_weight, *hidden, output, output_bias = parameters
        self._of_user_weight, of_user_bias, self._of_item_weight, *of_hidden, of_output, of_output_bias = grads
        self._of_weights = of_hidden[::2]
        self._of_biases = [bias.numpy() for bias in (of_user_bias, *of_hidden[1::2])]
        self._of_output = of_output.numpy()[0], of_output_bias.numpy()
        self._biases = [bias.numpy() for bias in hidden[1::2]]
        self._output = output.numpy()[0], output_bias.numpy()
        # Scaling the weights is the same as scaling the inputs, and there are fewer weights.
        self._unscaled = [user_weight, item_weight, *hidden[::2]]
        scaled = self._unscaled if dropout == 0 else [torch.empty_like(weight) for weight in self._unscaled]
        self._scaled = [_Matrix(weight) for weight in scaled]
        self._user_weight, self._item_weight, *self._weights = self._scaled
        self._units = [len(weight) for weight in (item_weight, *hidden[::2])]
        self._rooms: dict[int, _Room] = {}

    def begin(self, blocks: Sequence[int]) -> None:
        """See :class:`TowerBlocks`; draws what dropout drops, when each block asks for it."""
        if self._dropout == 0:
            return
        for scaled, weight in zip(self._scaled, self._unscaled, strict=True):
            torch.mul(weight, self._scale, out=scaled.tensor)
        self._drawn = draw_bits([sum(self._counts(users)) for users in blocks], self._dropout)

    def _counts(self, users: int) -> list[int]:
        """Elements that dropout may drop: of the rows of users and of items, and of the inputs of the hidden layers."""
        dim, pairs = self._user_weight.tensor.shape[1], users * self._width
        return [users * dim, pairs * dim, *(pairs * count for count in self._units[:-1])]

    def _draw(self, users: int) -> list[Array]:
        """Zeros and ones for each of them."""
        counts = self._counts(users)
        if self._dropout == 0:
            return [_NONE] * len(counts)
        drawn, ends = next(self._drawn), list(accumulate(counts))
        return [drawn[end - count : end] for count, end in zip(counts, ends, strict=True)]

    def forward(self, block: Block, scores: Array) -> tuple[float, float]:
        """See :class:`TowerBlocks`."""
        users, pairs = len(block.users), len(block.items)
        if users not in self._rooms:
            like = self._user_weight.tensor
            self._rooms[users] = _Room(like, users, pairs, like.shape[1], self._units)
        self._room = room = self._rooms[users]
        self._kept = self._draw(users)
        of_users, of_items, *kept = [*self._kept, _NONE]
        squares = (
            kernels.gather(block.users, self._users.weight, of_users, room.user_rows.array),
            kernels.gather(block.items, self._items.weight, of_items, room.item_rows.array),
        )
        units = room.layers[0]
        torch.mm(room.item_rows.tensor, self._item_weight.transposed, out=units.tensor)
        of_user = room.of_users
        torch.addmm(self._user_bias, room.user_rows.tensor, self._user_weight.transposed, out=of_user.tensor)
        kernels.rectify_first(units.array, of_user.array, self._width, kept[0])
        for weight, bias, above, of_layer in zip(self._weights, self._biases, room.layers[1:], kept[1:], strict=True):
            torch.mm(units.tensor, weight.transposed, out=above.tensor)
            kernels.rectify(above.array, bias, of_layer)
            units = above
        kernels.add_output(units.array, *self._output, scores)
        return squares

    def backward(self, block: Block, slopes: Array) -> None:
        """See :class:`TowerBlocks`."""
        room, scale, number = self._room, self._scale, self._number
        layers, of_layers = room.layers, room.of_layers
        weight, _ = self._output
        kernels.output_gradients(
            slopes, layers[-1].array, weight, of_layers[-1].array, *self._of_output, self._of_biases[-1]
        )
        for layer in reversed(range(len(self._weights))):
            self._of_weights[layer].addmm_(of_layers[layer + 1].transposed, layers[layer].tensor, alpha=scale)
            torch.mm(of_layers[layer + 1].tensor, self._weights[layer].tensor, out=of_layers[layer].tensor)
            kernels.rectifier_gradients(of_layers[layer].array, layers[layer].array, self._of_biases[layer])
        first, sums = of_layers[0], room.sums
        kernels.sum_of_items(first.array, self._width, sums.array)
        self._of_user_weight.addmm_(sums.transposed, room.user_rows.tensor, alpha=scale)
        self._of_item_weight.addmm_(first.transposed, room.item_rows.tensor, alpha=scale)
        torch.mm(sums.tensor, self._user_weight.tensor, out=room.of_user_rows.tensor)
        torch.mm(first.tensor, self._item_weight.tensor, out=room.of_item_rows.tensor)
        sides = (
            (self._users, block.users, block.user_slots[number], room.of_user_rows, self._kept[0], block.penalties[0]),
            (self._items, block.items, block.item_slots[number], room.of_item_rows, self._kept[1], block.penalties[1]),
        )
        for side, ids, slots, grad, kept, penalty in sides:
            kernels.add_rows(ids, slots, grad.array, kept, side.weight, penalty, side.grad)
