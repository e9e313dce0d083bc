"""An embedding table whose rows are divided among the ranks of a training, by PyTorch's ``DTensor``.

The weight is a ``DTensor`` with a block of the rows on each rank (``Shard(0)``), which says how they are placed and
brings them together. All ranks compute the same batch: a row that is looked up comes from the rank that has it. What is
added to it are zeros, so that the vectors, and all that is computed from them, have the bits of a whole table.

The optimiser updates the block of its rank as a plain tensor in the same memory: gradients of touched rows are sparse,
which a ``DTensor`` cannot have.

Shape suffixes: I rows of the table, R rows of one rank, M rows that are looked up, D dim.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.tensor import DTensor, Shard

from recsys.distributed.collectives import sum_over_ranks, traffic
from recsys.distributed.ranks import ranks
from recsys.models.layers.embedding import Embedding, set_tables_are_whole


def sharded_rows(num_rows: int) -> slice:
    """Which of ``num_rows`` are this rank's: of all but the last as many, as ``Shard(0)`` divides them."""
    size = -(-num_rows // ranks().size)
    return slice(min(ranks().rank * size, num_rows), min((ranks().rank + 1) * size, num_rows))


class ShardedEmbedding(Embedding):
    """A table of which this rank has some rows.

    Args:
        table: the whole one, the same on all ranks; it is not held on to.
        mesh: of all ranks, in one dimension.
    """

    def __init__(self, table: Embedding, mesh: DeviceMesh) -> None:
        nn.Module.__init__(self)
        self.num_embeddings, self.embedding_dim = table.weight.shape
        self.padding_idx = self.max_norm = None
        self.norm_type, self.scale_grad_by_freq, self.sparse = 2.0, False, False
        rows = sharded_rows(self.num_embeddings)
        self.start, self.stop = rows.start, rows.stop
        self._mesh = mesh
        # In lists: these are no further parameters of the module.
        self._trained: list[nn.Parameter] = []
        self._divided: list[Tensor] = []
        block = self.placed(table.weight.detach()[rows].clone())
        self.weight = nn.Parameter(block, requires_grad=table.weight.requires_grad)

    def placed(self, block: Tensor) -> DTensor:
        """Rows of this rank, shape [R, D], as a part of all, shape [I, D], in the same memory."""
        shape = torch.Size((self.num_embeddings, self.embedding_dim))
        # On the host the ranks have a mesh there.
        on_host = block.device.type == "cpu" and self._mesh.device_type != "cpu"
        mesh = init_device_mesh("cpu", (self._mesh.size(),)) if on_host else self._mesh
        return DTensor.from_local(block, mesh, (Shard(0),), run_check=False, shape=shape, stride=(shape[1], 1))

    @property
    def is_whole(self) -> bool:
        """Whether all rows are here for a while."""
        return len(self._divided) > 0

    @property
    def block(self) -> Tensor:
        """The rows of this rank, shape [R, D]."""
        weight = self._divided[0] if self.is_whole else self.weight
        assert isinstance(weight, DTensor)
        with torch.no_grad():
            local: Tensor = weight.to_local()
        return local

    @property
    def trained_rows(self) -> nn.Parameter:
        """See :class:`Embedding`: :attr:`block`, in the same memory."""
        if self.is_whole:
            return super().trained_rows
        block = self.block
        if not self._trained or self._trained[0].data_ptr() != block.data_ptr():
            self._trained = [nn.Parameter(block, requires_grad=self.weight.requires_grad)]
        return self._trained[0]

    def whole(self, on_host: bool = False) -> Tensor:
        """All rows, shape [I, D]; all ranks ask for them together.

        Args:
            on_host: bring them together there, and not on a device that may have no room for them.
        """
        rows = self.block.cpu() if on_host else self.block
        traffic.give(rows)
        whole: Tensor = self.placed(rows).full_tensor()
        return whole

    def open(self) -> None:
        """Have all rows here, as for validation, until :meth:`close`."""
        whole = self.whole()
        self._divided = [self.weight]
        self.weight = nn.Parameter(whole, requires_grad=False)

    def close(self) -> None:
        """Have the rows of this rank alone again."""
        if self.is_whole:
            self.weight = self._divided.pop()

    def joint_ids(self, num_ids: int) -> int:
        """See :class:`Embedding`: no other rank reads these rows."""
        return num_ids

    def table(self) -> Tensor:
        """See :class:`Embedding`; the gradient is that of the whole table, which all ranks have computed."""
        block = super().table()
        if self.is_whole:
            return block
        traffic.give(block)
        rows: Tensor = self.placed(block).full_tensor()
        return rows

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


def sharded_tables(network: nn.Module) -> dict[str, ShardedEmbedding]:
    """The tables of a network whose rows are divided, by name."""
    return {name: module for name, module in network.named_modules() if isinstance(module, ShardedEmbedding)}


def divide_tables(network: nn.Module, mesh: DeviceMesh) -> None:
    """Divide the rows of all tables of a network among the ranks, in place.

    Args:
        network: its tables are modules of the class :class:`Embedding`.
        mesh: of all ranks, in one dimension.
    """
    for name, module in list(network.named_modules()):
        if isinstance(module, Embedding) and not isinstance(module, ShardedEmbedding):
            _replace(network, name, ShardedEmbedding(module, mesh))
    set_tables_are_whole(False)


def join_tables(network: nn.Module) -> None:
    """Bring the rows of all divided tables of a network together on the host of each rank, in place."""
    for name, module in sharded_tables(network).items():
        table = Embedding(0, module.embedding_dim)
        table.num_embeddings = module.num_embeddings
        table.weight = nn.Parameter(module.whole(on_host=True), requires_grad=module.weight.requires_grad)
        _replace(network, name, table)
    set_tables_are_whole(True)


def _replace(network: nn.Module, name: str, table: Embedding) -> None:
    parent, _, own = name.rpartition(".")
    setattr(network.get_submodule(parent), own, table.train(network.get_submodule(name).training))
