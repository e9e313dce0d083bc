"""The loss of sampled negatives and its gradients for towers over pairs, in blocks of pairs, on the CPU. Needs Numba.

Scores, loss, penalty and the gradients of a block are computed together while its activations are in the processor's
cache. The sums are the same, up to rounding. It is the operator ``recsys::fused_towers`` of PyTorch.

Shape suffixes: B positives of a batch, N items of each (the positive first), D dim.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recsys.models.interface.pair_towers import PairTowers
from recsys.models.layers.embedding import Embedding, tables_are_whole
from recsys.models.layers.projected_rows import pays_by_table
from recsys.training.fused import tower_kernels as kernels
from recsys.training.fused.found_gradients import as_table, plain_table, with_gradients
from recsys.training.fused.tower_blocks import Block, PerceptronBlocks, ProductBlocks, RowGradients, TowerBlocks
from recsys.training.operator_library import LIBRARY

#: Pairs of a block.
BLOCK_PAIRS = 512


class FusedTowers:
    """The loss of a network of towers over sampled negatives, wherever blocks of pairs can compute it.

    Args:
        towers: gives the towers of the network as they are now.
        differences: the loss is ``softplus`` of differences of scores; otherwise of the scores.
        l2: weight of the penalty on the norms of the vectors.
    """

    def __init__(self, towers: Callable[[], PairTowers], differences: bool, l2: float) -> None:
        self._towers = towers
        self._differences = differences
        self._l2 = l2
        #: Where the gradient of each user and item is in a batch; -1 in between.
        self._places: list[npt.NDArray[np.int32]] | None = None

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
        found = self._towers()
        tables, parameters, dropout = _parts(found)
        if dropout >= 1 or not all(map(plain_table, tables)):
            return None
        if dropout == 0 and found.perceptron is not None and pays_by_table(found.perceptron.item_vectors, items):
            return None  # the first layer of a whole table is less work
        weights = [*(table.weight for table in tables), *parameters]
        if len({weight.dtype for weight in weights}) > 1:
            return None
        ids = (users, items) * (len(tables) // 2)
        by_rows = [table.read(of_table) for table, of_table in zip(tables, ids, strict=True)]
        count = len(tables)
        with torch.no_grad():
            slots, distinct = self._number_rows(users, items, [len(weight) for weight in weights[:2]])
            grads = [
                torch.zeros(len(distinct[number % 2]), weight.shape[1], dtype=weight.dtype)
                if rows
                else torch.zeros_like(weight)
                for number, (weight, rows) in enumerate(zip(weights, by_rows, strict=False))
            ]
            grads += [torch.zeros_like(weight) for weight in parameters]
            value = torch.ops.recsys.fused_towers(
                *(users, items, weights[:count:2], weights[1:count:2], grads[:count:2], grads[1:count:2], *slots),
                *(weights[count:], grads[count:], by_rows, found.product is not None, dropout),
                *(self._differences, self._l2),
            )
        for number, rows in enumerate(by_rows):
            if rows:
                grads[number] = as_table(weights[number], distinct[number % 2], grads[number])
        return with_gradients(value, grads, weights)

    def _number_rows(
        self, users: Tensor, items: Tensor, sizes: list[int]
    ) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """The numbers of the users and items of a batch among the distinct ones, in their shapes, and these."""
        if self._places is None or [len(places) for places in self._places] != sizes:
            self._places = [np.full(size, -1, np.int32) for size in sizes]
        slots, distinct = [], []
        for ids, places in zip((users, items.flatten()), self._places, strict=True):
            numbers, rows = torch.empty_like(ids), torch.empty_like(ids)
            count = kernels.number_rows(ids.numpy(), places, numbers.numpy(), rows.numpy())
            if count < 0:
                raise IndexError("A user or an item of the batch is not in the table of its vectors.")
            slots.append(numbers)
            distinct.append(rows[:count])
        return (slots[0], slots[1]), (distinct[0], distinct[1])


def _parts(towers: PairTowers) -> tuple[list[Embedding], list[Tensor], float]:
    """Tables of users and items in turn, parameters of the layers, tower by tower, and the dropout."""
    tables: list[Embedding] = []
    parameters: list[Tensor] = []
    product, perceptron = towers.product, towers.perceptron
    if product is not None:
        tables += [product.user_vectors, product.item_vectors]
        parameters += [product.output.weight, product.output.bias]
    if perceptron is not None:
        tables += [perceptron.user_vectors, perceptron.item_vectors]
        parameters += [perceptron.user_part.weight, perceptron.user_part.bias, perceptron.item_part.weight]
        for layer in (*perceptron.hidden, perceptron.output):
            parameters += [layer.weight, layer.bias]
    return tables, parameters, 0.0 if perceptron is None else perceptron.dropout


_TABLES = "Tensor[] user_weights, Tensor[] item_weights, Tensor(a!)[] user_grads, Tensor(b!)[] item_grads"
_SLOTS = "Tensor user_slots, Tensor item_slots"
LIBRARY.define(
    f"fused_towers(Tensor user_ids, Tensor item_ids, {_TABLES}, {_SLOTS}, Tensor[] parameters, "
    "Tensor(c!)[] parameter_grads, bool[] by_rows, bool product, float dropout, bool differences, float l2) -> float"
)


def _run(
    users: Tensor,
    items: Tensor,
    user_weights: list[Tensor],
    item_weights: list[Tensor],
    user_grads: list[Tensor],
    item_grads: list[Tensor],
    user_slots: Tensor,
    item_slots: Tensor,
    parameters: list[Tensor],
    parameter_grads: list[Tensor],
    by_rows: list[bool],
    product: bool,
    dropout: float,
    differences: bool,
    l2: float,
) -> float:
    (batch, width), number = items.shape, user_weights[0].numpy().dtype.type
    size = max(1, BLOCK_PAIRS // width)
    penalties = number(2 * l2 / batch), number(2 * l2 / (batch * width))
    sides = [
        [RowGradients(weight.numpy(), grad.numpy(), penalty) for weight, grad in zip(*of_side, strict=True)]
        for *of_side, penalty in ((user_weights, user_grads, penalties[0]), (item_weights, item_grads, penalties[1]))
    ]
    tables = list(zip(*sides, strict=True))
    first = 2 if product else 0
    towers: list[TowerBlocks] = []
    if product:
        towers.append(ProductBlocks(0, tables[0], parameters[:2], parameter_grads[:2]))
    if len(parameters) > first:
        layers = parameters[first:], parameter_grads[first:]
        towers.append(PerceptronBlocks(len(towers), tables[-1], *layers, dropout, width))
    scale = number(1 / (batch * (width - 1 if differences else width)))
    all_users, all_items = users.numpy(), items.numpy().reshape(-1)
    of_users, of_items = user_slots.numpy(), item_slots.numpy()
    total, user_squares, item_squares = 0.0, 0.0, 0.0
    for start in range(0, batch, size):
        of_block, of_pairs = slice(start, start + size), slice(start * width, (start + size) * width)
        ids = all_users[of_block], all_items[of_pairs]
        block = Block(
            *ids,
            [of_users[of_block] if rows else ids[0] for rows in by_rows[::2]],
            [of_items[of_pairs] if rows else ids[1] for rows in by_rows[1::2]],
        )
        scores = np.zeros((len(ids[0]), width), number)
        slopes = np.empty_like(scores)
        for tower in towers:
            squares = tower.forward(block, scores.reshape(-1))
            user_squares, item_squares = user_squares + squares[0], item_squares + squares[1]
        total += kernels.slopes_of(scores, slopes, scale, differences)
        for tower in towers:
            tower.backward(block, slopes.reshape(-1))
    return float(total * scale + l2 * (user_squares / batch + item_squares / (batch * width)))


LIBRARY.impl("fused_towers", _run, "CPU")
