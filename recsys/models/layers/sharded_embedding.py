"""An embedding table whose rows are divided among the ranks of a training.

Each rank holds a block of the rows, with their gradients and what the optimiser keeps of them, and all ranks compute
the same batch: a row that is looked up comes from the rank that has it. What is added to it are zeros, so that the
vectors, and all that is computed from them, have the bits of a whole table.

Shape suffixes: I rows of the table, R rows of one rank, M rows that are looked up, D dim.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from recsys.distributed.collectives import rows_of_ranks, sum_over_ranks
from recsys.distributed.ranks import ranks
from recsys.models.layers.embedding import Embedding, set_tables_are_whole


class ShardedEmbedding(Embedding):
    """The rows of this rank of a table.

    Args:
        table: the whole one, the same on all ranks; it is not held on to.
    """

    def __init__(self, table: Embedding) -> None:
        nn.Module.__init__(self)
        self.num_embeddings, self.embedding_dim = table.weight.shape
        self.padding_idx = self.max_norm = None
        self.norm_type, self.scale_grad_by_freq, self.sparse = 2.0, False, False
        rows = ranks().part(self.num_embeddings)
        self.start, self.stop = rows.start, rows.stop
        self.weight = nn.Parameter(table.weight.detach()[rows].clone(), requires_grad=table.weight.requires_grad)
        self._block: Tensor | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all rows are here for a while."""
        return self._block is not None

    @property
    def block(self) -> Tensor:
        """The rows of this rank, shape [R, D]."""
        return self.weight.data if self._block is None else self._block

    def whole(self) -> Tensor:
        """All rows, shape [I, D]; all ranks ask for them together."""
        return rows_of_ranks(self.block, [part.stop - part.start for part in ranks().parts(self.num_embeddings)])

    def open(self) -> None:
        """Have all rows here, as for validation, until :meth:`close`."""
        whole = self.whole()
        self._block, self.weight.data = self.weight.data, whole

    def close(self) -> None:
        """Have the rows of this rank alone again."""
        if self._block is not None:
            self.weight.data, self._block = self._block, None

    def joint_ids(self, num_ids: int) -> int:
        """See :class:`Embedding`: no other rank reads these rows."""
        return num_ids

    def table(self) -> Tensor:
        """See :class:`Embedding`."""
        block = super().table()
        return block if self.is_whole else _AllRows.apply(block, self)  # type: ignore[no-untyped-call]

    def forward(self, input: Tensor) -> Tensor:
        """See :class:`Embedding`; all ranks look up the same rows."""
        if self.is_whole:
            return super().forward(input)
        ids = input.reshape(-1)
        places = ((ids >= self.start) & (ids < self.stop)).nonzero().squeeze(1)
        rows = super().forward(ids.index_select(0, places) - self.start)
        found = rows.new_zeros(len(ids), self.embedding_dim).index_copy(0, places, rows)
        joint: Tensor = _SumOfRanks.apply(found)  # type: ignore[no-untyped-call]
        return joint.view(*input.shape, self.embedding_dim)


class _SumOfRanks(torch.autograd.Function):
    """The sum of what ranks have; each of them has the gradient of it."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        joint = rows.clone()
        sum_over_ranks(joint)
        return joint

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return grads[0]


class _AllRows(torch.autograd.Function):
    """All rows of a table; its gradient is that of all."""

    @staticmethod
    def forward(ctx: Any, block: Tensor, table: ShardedEmbedding) -> Tensor:
        ctx.rows = slice(table.start, table.stop)
        return table.whole()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0][ctx.rows].contiguous(), None


def sharded_tables(network: nn.Module) -> dict[str, ShardedEmbedding]:
    """The tables of a network whose rows are divided, by name."""
    return {name: module for name, module in network.named_modules() if isinstance(module, ShardedEmbedding)}


def replace_tables(network: nn.Module, sharded: bool) -> None:
    """Divide the rows of all tables of a network among the ranks, or bring them together again, in place.

    Args:
        network: its tables are modules of the class :class:`Embedding`.
        sharded: whether they are divided afterwards.
    """
    for name, module in list(network.named_modules()):
        if isinstance(module, ShardedEmbedding) == sharded or not isinstance(module, Embedding):
            continue
        new: Embedding
        if isinstance(module, ShardedEmbedding):
            new = Embedding(0, module.embedding_dim)
            new.num_embeddings = module.num_embeddings
            new.weight = nn.Parameter(module.whole(), requires_grad=module.weight.requires_grad)
        else:
            new = ShardedEmbedding(module)
        parent, _, own = name.rpartition(".")
        setattr(network.get_submodule(parent), own, new.train(module.training))
    set_tables_are_whole(not sharded)
