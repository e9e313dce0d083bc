"""Steps of an optimiser over sampled negatives, many in one compiled call, on the CPU. Needs Numba.

A step of a small model takes less time than PyTorch needs to call a dozen operators. What is left where all steps of
a call are one loop is the arithmetic. The sums are the same, up to rounding.

Shape suffixes: M positives of all steps, N items of each (the positive first).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from recsys.models.interface.factor_tables import FactorTables
from recsys.models.layers.embedding import Embedding
from recsys.training.fused import step_kernels as kernels
from recsys.training.fused.pair_kernels import forget
from recsys.training.fused.pairs import FusedPairs
from recsys.training.optimizers.adam import AdamRule
from recsys.training.optimizers.keeps_rows import KeepsRows
from recsys.training.optimizers.row_rule import RowRule, number
from recsys.training.optimizers.sgd import SGDRule
from recsys.training.optimizers.table_rows import TableRows


class FusedSteps:
    """Takes steps of plain gradient descent, and of Adam where it costs less to update whole tables.

    Args:
        pairs: the loss.
        optimizer: keeps the tables.
    """

    def __init__(self, pairs: FusedPairs, optimizer: KeepsRows) -> None:
        self._pairs = pairs
        self.optimizer = optimizer
        group = optimizer.param_groups[0]
        self._rule = optimizer.rule(group) if len(optimizer.param_groups) == 1 else None

    def possible(self, num_positives: int, num_items: int) -> bool:
        """Whether the next steps can be taken here.

        Args:
            num_positives: of a step.
            num_items: of each positive, N.
        """
        found = self._pairs.tables()
        if found is None or self._rule is None or not self.optimizer.updates_just(_weights(found)):
            return False
        keepers = [table.keeper for table in _tables(found) if isinstance(table.keeper, TableRows)]
        if len(keepers) < len(_tables(found)):
            return False
        if isinstance(self._rule, SGDRule):
            return self._rule.still
        sizes = (num_positives, num_positives * num_items) * 2
        return isinstance(self._rule, AdamRule) and not any(
            keeper.costs_less_as_rows(size) for keeper, size in zip(keepers, sizes, strict=False)
        )

    @torch.no_grad()
    def take(self, users: Tensor, items: Tensor, size: int) -> float:
        """Take steps.

        Args:
            users: shape [M], int64.
            items: the positive of each and its negatives, shape [M, N], int64.
            size: positives of a step; the last one may have fewer.

        Returns:
            The sum of the losses of the steps.

        Raises:
            IndexError: a user or an item is not in its table.
        """
        found = self._pairs.tables()
        assert found is not None and self._rule is not None
        weights = _weights(found)
        settings = self.optimizer.param_groups[0]
        biased = len(weights) > 2
        arrays = [weight.detach().numpy() for weight in weights]
        if not biased:
            nothing = np.empty((0, 1), arrays[0].dtype)
            arrays += [nothing, nothing, nothing[:, 0]]
        most = min(size, len(users))
        distinct = [(np.empty(ids, np.int64), np.zeros(1, np.int64)) for ids in (most, most * items.shape[1])]
        places = self._pairs.places([len(array) for array in arrays[:2]])
        marks = tuple((place.numpy(), rows) for place, rows in zip(places, distinct, strict=True))
        arguments = users.numpy(), items.numpy(), size, tuple(arrays)
        of_loss = self._pairs.differences, self._pairs.l2, biased
        if isinstance(self._rule, SGDRule):
            rows = [len(of_side[0]) for of_side in distinct] * 2
            grads = [
                np.empty((min(count, len(array)), array.shape[1]), array.dtype)
                for count, array in zip(rows, arrays, strict=False)
            ]
            grads.append(np.zeros_like(arrays[4]))
            total = kernels.sgd_steps(*arguments, tuple(grads), marks, of_loss, number(settings["lr"]))
        else:
            total = self._adam(arguments, marks, of_loss, weights, settings)
        if total is None:
            for of_side in marks:
                forget(of_side)
            raise IndexError("A user or an item of the batch is not in the table of its vectors.")
        return float(total)

    def _adam(
        self, arguments: tuple[Any, ...], marks: Any, of_loss: Any, weights: list[Tensor], settings: Any
    ) -> float | None:
        """Steps of Adam, which leave the optimiser's state as PyTorch keeps it."""
        rule: RowRule | None = self._rule
        assert rule is not None
        self.optimizer.catch_up_all()
        states = [self.optimizer.state[weight] for weight in weights]
        for weight, state in zip(weights, states, strict=True):
            rule.begin(weight, state, settings)
        users, _, size, arrays = arguments
        grads = tuple(np.zeros_like(array) for array in arrays)
        count = len(weights)
        flat = tuple(tuple(array.reshape(-1) for array in side[:count]) for side in (arrays, grads))
        averages, squares = (
            tuple(state[name].numpy().reshape(-1) for state in states) for name in ("exp_avg", "exp_avg_sq")
        )
        lr, (beta1, beta2) = number(settings["lr"]), (number(beta) for beta in settings["betas"])
        adam = (lr, beta1, beta2, float(settings["eps"]), 1 - lr * settings["weight_decay"], float(rule.step))
        total: float | None = kernels.adam_steps(*arguments, grads, marks, of_loss, averages, squares, flat, adam)
        for state in states:
            state["step"] += -(-len(users) // size)
        self.optimizer.restart_rows()
        return total


def _tables(found: FactorTables) -> list[Embedding]:
    tables = [found.user_vectors, found.item_vectors, found.user_bias, found.item_bias]
    return [table for table in tables if table is not None]


def _weights(found: FactorTables) -> list[Tensor]:
    weights: list[Tensor] = [table.weight for table in _tables(found)]
    return weights if found.global_bias is None else [*weights, found.global_bias]
