"""An embedding table whose gradient may be of the rows that were read alone.

Shape suffixes: I rows of the table, D dim, M rows that are read.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.distributed.ranks import ranks

_whole = True


def tables_are_whole() -> bool:
    """Whether every row of a table is in this process: passes over several tables at once read them there."""
    return _whole


def set_tables_are_whole(whole: bool) -> None:
    """Say whether they are; for whoever divides them among ranks."""
    global _whole
    _whole = whole


class RowKeeper(ABC):
    """An optimiser that updates the rows of a table which a step has touched, and no others.

    A row that was not touched for some steps is behind. It is caught up before it is read.
    """

    @abstractmethod
    def by_rows(self, num_ids: int) -> bool:
        """Whether a gradient of so many rows costs less as rows than as a whole table."""

    @abstractmethod
    def catch_up(self, ids: Tensor) -> None:
        """Bring some rows (int64, any shape) to where every step so far would have left them."""

    @abstractmethod
    def catch_up_all(self) -> None:
        """Bring all rows there."""


def row_gradient(weight: Tensor, ids: Tensor, rows: Tensor, by_rows: bool) -> Tensor:
    """The gradient of a table.

    Args:
        weight: the table, shape [I, D].
        ids: the row that each of ``rows`` belongs to, int64, M of any shape; repeated ones add up.
        rows: gradients, shape [M, D].
        by_rows: give a sparse tensor of rows and ids, in place of a dense one.
    """
    rows, ids = rows.reshape(-1, weight.shape[1]), ids.reshape(-1)
    if by_rows:
        return torch.sparse_coo_tensor(ids[None], rows, weight.shape, check_invariants=False)
    return torch.zeros_like(weight).index_add_(0, ids, rows)


class _GatherRows(torch.autograd.Function):
    """Rows of a matrix by index; the gradient is a single indexed addition."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, index: Tensor, by_rows: bool) -> Tensor:
        ctx.save_for_backward(index)
        ctx.like, ctx.by_rows = weight, by_rows
        return functional.embedding(index, weight)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (index,) = ctx.saved_tensors
        return row_gradient(ctx.like, index, grads[0].to(ctx.like.dtype), ctx.by_rows), None, None


class Embedding(nn.Embedding):
    """``nn.Embedding`` with a faster gradient on the CPU, and one of rows alone where an optimiser keeps the rows.

    The gradient is the same sum, in the same order for the same batch.
    """

    #: The optimiser that keeps the rows of this table; None: each step updates every row.
    keeper: RowKeeper | None = None

    @property
    def trained_rows(self) -> nn.Parameter:
        """What an optimiser updates: the rows that are in this process, as a plain tensor."""
        weight: nn.Parameter = self.weight  # type: ignore[assignment]  # of PyTorch it is a tensor
        return weight

    def read(self, ids: Tensor) -> bool:
        """Make rows ready to be read from ``weight``; whoever reads them without :meth:`forward` calls it first.

        Args:
            ids: the rows, int64, any shape.

        Returns:
            Whether the gradient should be one of rows; see :func:`row_gradient`.
        """
        if self.keeper is None or not torch.is_grad_enabled():
            return False
        if self.keeper.by_rows(self.joint_ids(ids.numel())):
            self.keeper.catch_up(ids)
            return True
        self.keeper.catch_up_all()
        return False

    def joint_ids(self, num_ids: int) -> int:
        """Rows of the joint gradient, where each rank reads so many."""
        return num_ids * ranks().size

    def table(self) -> Tensor:
        """All rows, shape [I, D], ready to be read."""
        if self.keeper is not None and torch.is_grad_enabled():
            self.keeper.catch_up_all()
        return self.trained_rows

    def forward(self, input: Tensor) -> Tensor:
        """The rows of ``input`` (int64, any shape), with the dimension of the vectors last."""
        by_rows = self.read(input)
        # What is compiled as a whole has a gradient of its own.
        by_hand = self.weight.device.type == "cpu" and torch.is_grad_enabled() and not torch.compiler.is_compiling()
        if by_rows or by_hand:
            return _GatherRows.apply(self.trained_rows, input, by_rows)  # type: ignore[no-untyped-call]
        return functional.embedding(input, self.trained_rows)


def trained_parameters(network: nn.Module) -> Iterator[nn.Parameter]:
    """What an optimiser updates of a network, in the order of its parameters: of tables the rows of this process."""
    tables = {id(module.weight): module for module in network.modules() if isinstance(module, Embedding)}
    for parameter in network.parameters():
        table = tables.get(id(parameter))
        yield parameter if table is None else table.trained_rows
