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
from recsys.models.layers.embedding import Embedding
from recsys.models.layers.projected_rows import pays_by_table
from recsys.training.fused import tower_kernels as kernels
from recsys.training.fused.choice import one_pass_applies
from recsys.training.fused.found_gradients import as_table, plain_table, with_gradients
from recsys.training.fused.tower_pass import TowerPass
from recsys.training.operator_library import LIBRARY


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
        if not one_pass_applies(users) or not self.possible(items.numel()):
            return None
        return with_gradients(*self.pass_over(users, items))

    def possible(self, num_pairs: int) -> bool:
        """Whether blocks can compute the loss of the network as it is now.

        Args:
            num_pairs: of a batch.
        """
        found = self._towers()
        tables, parameters, dropout = _parts(found)
        if dropout >= 1 or not all(map(plain_table, tables)):
            return False
        if dropout == 0 and found.perceptron is not None and pays_by_table(found.perceptron.item_vectors, num_pairs):
            return False  # the first layer of a whole table is less work
        return len({weight.dtype for weight in (*(table.weight for table in tables), *parameters)}) == 1

    def parts(self) -> tuple[list[Embedding], list[Tensor]]:
        """The tables, of users and of items in turn, and the parameters of the layers."""
        tables, parameters, _ = _parts(self._towers())
        return tables, parameters

    @torch.no_grad()
    def pass_over(self, users: Tensor, items: Tensor) -> tuple[float, list[Tensor], list[Tensor]]:
        """The mean loss of a batch with its penalty, the gradients, and of which weights they are.

        Args:
            users: shape [B], int64.
            items: the positive of each and its negatives, shape [B, N], int64.

        Raises:
            IndexError: a user or an item is not in its table.
        """
        found = self._towers()
        tables, parameters, dropout = _parts(found)
        weights, count = [*(table.weight for table in tables), *parameters], len(tables)
        slots, distinct = self.number_rows(users, items, [len(weight) for weight in weights[:2]])
        with torch.enable_grad():  # rows are read to be trained
            by_rows = [table.read(distinct[number % 2]) for number, table in enumerate(tables)]
        grads = [
            torch.zeros(len(distinct[number % 2]), weight.shape[1], dtype=weight.dtype)
            if rows
            else torch.zeros_like(weight)
            for number, (weight, rows) in enumerate(zip(weights, by_rows, strict=False))
        ]
        grads += [torch.zeros_like(weight) for weight in parameters]
        value = torch.ops.recsys.fused_towers(
            *(users, items, weights[:count:2], weights[1:count:2], grads[:count:2], grads[1:count:2], *slots),
            *(parameters, grads[count:], by_rows, found.product is not None, dropout),
            *(self._differences, self._l2),
        )
        for number, rows in enumerate(by_rows):
            if rows:
                grads[number] = as_table(weights[number], distinct[number % 2], grads[number])
        return value, grads, weights

    def blocks(self, grads: list[Tensor], num_items: int) -> TowerPass:
        """Blocks that go over several batches, while the parameters change in place.

        Args:
            grads: of distinct rows of the tables, and of the parameters, in the order of :meth:`parts`; added to.
            num_items: of each positive, N.
        """
        found = self._towers()
        tables, parameters, dropout = _parts(found)
        weights, count = [table.weight for table in tables], len(tables)
        of_tables = weights[::2], weights[1::2], grads[:count:2], grads[1:count:2]
        by_rows, product = [True] * count, found.product is not None
        return TowerPass(*of_tables, parameters, grads[count:], by_rows, product, dropout, num_items)

    def loss_over(self, blocks: TowerPass, users: Tensor, items: Tensor, slots: tuple[Tensor, Tensor]) -> float:
        """The mean loss of a batch with its penalty by :meth:`blocks`, which add to the gradients.

        Args:
            blocks: of this network.
            users: shape [B], int64.
            items: shape [B, N], int64.
            slots: what :meth:`number_rows` gives for them.
        """
        return blocks.over(users, items, *slots, self._differences, self._l2)

    def number_rows(
        self, users: Tensor, items: Tensor, sizes: list[int]
    ) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """The numbers of the users and items of a batch among the distinct ones, in their shapes, and these.

        Args:
            users: int64, any shape.
            items: int64, any shape.
            sizes: of the tables of users and of items.

        Raises:
            IndexError: a user or an item is not in its table.
        """
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
    tables = user_weights, item_weights, user_grads, item_grads
    network = TowerPass(*tables, parameters, parameter_grads, by_rows, product, dropout, items.shape[1])
    return network.over(users, items, user_slots, item_slots, differences, l2)


LIBRARY.impl("fused_towers", _run, "CPU")
