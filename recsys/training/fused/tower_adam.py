"""Steps of Adam for towers over pairs, many in one call: touched rows of tables, all of the layers. Needs Numba.

All tables are current at the beginning and at the end of a call, so that its steps have one set of coefficients by
which rows are caught up (:mod:`recsys.training.optimizers.adam`), and what a step does to rows are a few compiled
loops, in place of operators for each table.

Shape suffixes: M positives of all steps, N items of each (the positive first).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from recsys.training.fused.step_kernels import adam_whole
from recsys.training.fused.towers import FusedTowers
from recsys.training.optimizers.adam import AdamRule
from recsys.training.optimizers.adam_kernels import catch_up_rows, step_settings, update_rows
from recsys.training.optimizers.keeps_rows import KeepsRows

#: Rows of a table for each that a step touches, up to which catching all of them up after each call costs less than a
#: tenth of the steps' own rows.
_ROWS_OF_TOUCHED = 8


class TowerAdam:
    """Takes steps of Adam where tables are small enough to be caught up after each call.

    Args:
        towers: the loss.
        optimizer: keeps the tables.
    """

    def __init__(self, towers: FusedTowers, optimizer: KeepsRows) -> None:
        self._towers = towers
        self._optimizer = optimizer
        group = optimizer.param_groups[0]
        self._rule = optimizer.rule(group) if len(optimizer.param_groups) == 1 else None

    def possible(self, num_positives: int, num_items: int) -> bool:
        """Whether the next steps can be taken here; arguments are those of :meth:`TowerSteps.possible`.

        The first steps, which update all rows, are not.
        """
        tables, parameters = self._towers.parts()
        touched = (num_positives, num_positives * num_items) * len(tables)
        small = all(
            table.keeper is not None and table.num_embeddings <= _ROWS_OF_TOUCHED * rows
            for table, rows in zip(tables, touched, strict=False)
        )
        if not small or not isinstance(self._rule, AdamRule):
            return False
        self._optimizer.catch_up_all()  # which writes into the state how many steps there were
        states = [self._optimizer.state.get(weight) for weight in (*(table.weight for table in tables), *parameters)]
        steps = {int(state["step"]) if state else 0 for state in states}
        return len(steps) == 1 and min(steps) >= self._rule.first_step

    @torch.no_grad()
    def take(self, users: Tensor, items: Tensor, size: int) -> float:
        """See :meth:`TowerSteps.take`."""
        towers, rule, settings = self._towers, self._rule, self._optimizer.param_groups[0]
        assert isinstance(rule, AdamRule)
        tables, parameters = towers.parts()
        weights: list[Tensor] = [*(table.weight for table in tables), *parameters]
        states = [self._optimizer.state[weight] for weight in weights]
        rule.kernels(weights[0])
        rule.begin(weights[0], states[0], settings)
        arrays = [
            [tensor.detach().numpy() for tensor in (weight, state["exp_avg"], state["exp_avg_sq"])]
            for weight, state in zip(weights, states, strict=True)
        ]
        kept, layers = arrays[: len(tables)], arrays[len(tables) :]
        last = [np.zeros(table.num_embeddings, np.int32) for table in tables]
        counts = (min(size, len(users)), min(size, len(users)) * items.shape[1]) * len(tables)
        room = [
            weight.new_empty(count, weight.shape[1])
            for weight, count in zip(weights[: len(tables)], counts, strict=False)
        ]
        of_layers = [torch.zeros_like(weight) for weight in parameters]
        flat = [tuple(array.reshape(-1) for array in column) for column in zip(*layers, strict=True)]
        of_flat = tuple(grad.numpy().reshape(-1) for grad in of_layers)
        dtype, eps = arrays[0][0].dtype, arrays[0][0].dtype.type(settings["eps"])
        blocks = towers.blocks([*room, *of_layers], items.shape[1])
        sizes = [len(weight) for weight in weights[:2]]

        def catch_up(table: int, rows: Any) -> None:
            catch_up_rows(rows, *kept[table], last[table], coefficients, eps)

        total, coefficients = 0.0, rule.coefficients().astype(dtype)
        for of_users, of_items in zip(users.split(size), items.split(size), strict=True):
            slots, distinct = towers.number_rows(of_users, of_items, sizes)
            grads = [of_table[: len(distinct[n % 2])].zero_() for n, of_table in enumerate(room)]
            rows = [distinct[n % 2].numpy() for n in range(len(tables))]
            for table, of_table in enumerate(rows):
                catch_up(table, of_table)
            total += towers.loss_over(blocks, of_users, of_items, slots)
            rule.advance(settings)
            of_step = np.array(step_settings(settings, rule.step), dtype)
            coefficients = rule.coefficients().astype(dtype)
            for table, (of_table, grad) in enumerate(zip(rows, grads, strict=True)):
                update_rows(of_table, grad.numpy(), *kept[table], last[table], len(coefficients) - 1, of_step)
            adam_whole(flat[0], of_flat, flat[1], flat[2], tuple(of_step))
        for table, array in enumerate(last):
            catch_up(table, np.arange(len(array)))
        for state in states:
            state["step"].fill_(rule.step)
        self._optimizer.restart_rows()
        return total
