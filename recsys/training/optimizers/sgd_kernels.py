"""Plain gradient descent for some rows of a table as a compiled loop. Needs Numba.

It is the operator ``recsys::sgd_update`` of PyTorch, so that whatever watches operators sees it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from recsys.training.compiled_loops import compiled, prefetch_row
from recsys.training.operator_library import LIBRARY
from recsys.training.optimizers.row_rule import RowKernels, number

#: How many rows ahead the processor is asked for one.
AHEAD = 4


@compiled
def _update(ids, grad, weight, rate):  # type: ignore[no-untyped-def]
    for i in range(len(ids)):
        if i + AHEAD < len(ids):
            prefetch_row(weight, ids[i + AHEAD])
        row, of_row = weight[ids[i]], grad[i]
        for d in range(len(row)):
            row[d] -= rate * of_row[d]


LIBRARY.define("sgd_update(Tensor ids, Tensor grad, Tensor(a!) weight, float rate) -> ()")


def _run_update(ids: Tensor, grad: Tensor, weight: Tensor, rate: float) -> None:
    rows = grad.contiguous().numpy()
    _update(ids.numpy(), rows, weight.numpy(), rows.dtype.type(rate))


LIBRARY.impl("sgd_update", _run_update, "CPU")


class SGDKernels(RowKernels):
    """SGD without momentum and weight decay for rows of a table: rows without a gradient stay as they are."""

    def catch_up(self, *_: Any) -> None:
        """Nothing is ever behind."""

    def update(
        self,
        ids: Tensor,
        grad: Tensor,
        tables: Sequence[Tensor],
        last: Tensor,
        step: int,
        steps: int,
        settings: Mapping[str, Any],
    ) -> None:
        """See :class:`~recsys.training.optimizers.row_rule.RowKernels`; as SGD is linear, no sums are made first."""
        (weight,) = tables
        torch.ops.recsys.sgd_update(ids, grad, weight, number(settings["lr"]))
