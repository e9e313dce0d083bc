"""Steps of an optimiser over sampled negatives for towers over pairs, without autograd and Lightning between them.

A step of a small network takes about as long as what comes around it: the graph of autograd, the hooks of a trainer,
zeros for gradients that are written anyway. Here a step is the pass of :mod:`recsys.training.fused.towers` and the
optimiser's own. Needs Numba.

Shape suffixes: M positives of all steps, N items of each (the positive first).
"""

from __future__ import annotations

from torch import Tensor

from recsys.training.fused.tower_adam import TowerAdam
from recsys.training.fused.towers import FusedTowers
from recsys.training.optimizers.keeps_rows import KeepsRows


class TowerSteps:
    """Takes steps of any optimiser that keeps tables.

    Args:
        towers: the loss.
        optimizer: keeps the tables.
    """

    def __init__(self, towers: FusedTowers, optimizer: KeepsRows) -> None:
        self._towers = towers
        self._adam = TowerAdam(towers, optimizer)
        self.optimizer = optimizer
        self._by_adam = False

    def possible(self, num_positives: int, num_items: int) -> bool:
        """Whether the next steps can be taken here.

        Args:
            num_positives: of a step.
            num_items: of each positive, N.
        """
        tables, parameters = self._towers.parts()
        weights = [*(table.weight for table in tables), *parameters]
        if not (self._towers.possible(num_positives * num_items) and self.optimizer.updates_just(weights)):
            return False
        self._by_adam = self._adam.possible(num_positives, num_items)
        return True

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
        if self._by_adam:
            return self._adam.take(users, items, size)
        total = 0.0
        for of_users, of_items in zip(users.split(size), items.split(size), strict=True):
            value, grads, weights = self._towers.pass_over(of_users, of_items)
            for weight, grad in zip(weights, grads, strict=True):
                weight.grad = grad
            self.optimizer.step()
            total += value
        self.optimizer.zero_grad()
        return total
