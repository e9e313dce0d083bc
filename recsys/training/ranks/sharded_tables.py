"""Trains a network whose embedding tables are divided by rows among the ranks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor
from torch.optim import Optimizer

from recsys.distributed.collectives import from_main, wait_for_ranks
from recsys.distributed.ranks import ranks
from recsys.errors import RunError
from recsys.models.layers.embedding import Embedding
from recsys.models.layers.sharded_embedding import ShardedEmbedding, divide_tables, join_tables, sharded_tables
from recsys.training.ranks.checkpoint_rows import OPTIMIZERS, ROWS, WEIGHTS, write_rows


def check_tables(network: nn.Module) -> None:
    """Require that a network has tables whose rows can be divided.

    Raises:
        RunError: it has none.
    """
    if not any(isinstance(module, Embedding) for module in network.modules()):
        raise RunError(
            "trainer.shard_embeddings=true divides tables of which a step reads some rows, such as those of mf and "
            f"neumf, but {type(network).__name__} has none. Leave it out."
        )


class ShardedTables:
    """The divided tables of a network, from the beginning of its training to the end.

    Args:
        network: its tables are divided now.
        prefix: of the names of its weights in a checkpoint.
        mesh: of all ranks, in one dimension.

    Raises:
        RunError: it has none that are read by rows.
    """

    def __init__(self, network: nn.Module, prefix: str, mesh: DeviceMesh) -> None:
        check_tables(network)
        divide_tables(network, mesh)
        self._network = network
        self._tables = {f"{prefix}{name}.weight": table for name, table in sharded_tables(network).items()}

    def together(self) -> None:
        """Bring all rows together again: the network is as it was."""
        join_tables(self._network)

    def open(self) -> None:
        """Have whole tables on each rank, without gradients, for as long as it takes to rank."""
        for table in self._tables.values():
            table.open()

    def close(self) -> None:
        """Have the rows of each rank there alone again."""
        for table in self._tables.values():
            table.close()

    def agree(self) -> None:
        """Give all ranks the gradients that rank 0 has of everything but the tables.

        All have computed the same, perhaps with other rounding errors: a GPU adds up in no order.
        """
        for parameter in self._network.parameters():
            if parameter.grad is not None:  # those of tables are their rows'
                parameter.grad = parameter.grad.contiguous()
                from_main(parameter.grad)

    def bytes_held(self, optimizer: Optimizer | None = None) -> int:
        """Bytes of this rank's rows, and of what an optimiser keeps of them."""
        tensors = [table.block for table in self._tables.values()]
        if optimizer is not None:
            for table in self._tables.values():
                kept = optimizer.state.get(table.trained_rows, {}).values()
                tensors += [value for value in kept if isinstance(value, Tensor) and value.dim() > 0]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    def save(self, checkpoint: dict[str, Any], path: Path) -> None:
        """Move the rows of this rank out of a checkpoint, into a file beside it.

        Args:
            checkpoint: of this rank; afterwards it says where the rows are.
            path: where the checkpoint is going to be.
        """
        found = list(self._blocks(checkpoint))
        blocks = {key: _rows(place[name]) for key, place, name, _ in found}
        directory = write_rows(path, checkpoint.get("epoch", 0), ranks().rank, ranks().size, blocks)
        checkpoint[ROWS] = {"directory": directory, "rows": {key: table.num_embeddings for key, *_, table in found}}
        for key, place, name, _ in found:
            place[name] = blocks[key].new_empty(0)
        wait_for_ranks()  # until all have written theirs

    def take_part(self, checkpoint: dict[str, Any]) -> None:
        """Leave the rows of this rank of the whole tables that a checkpoint has, in place."""
        for key, place, name, table in list(self._blocks(checkpoint)):
            rows = place[name]
            if len(rows) == table.num_embeddings:
                rows = rows[table.start : table.stop]
            place[name] = table.placed(rows) if key.startswith(WEIGHTS) else rows

    def _blocks(self, checkpoint: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any, ShardedEmbedding]]:
        """Each tensor of rows: its key, where it is, its name there, and its table."""
        for name, table in self._tables.items():
            yield f"{WEIGHTS}/{name}", checkpoint[WEIGHTS], name, table
        numbers = {id(parameter): number for number, parameter in enumerate(self._network.parameters())}
        for place, optimizer in enumerate(checkpoint.get(OPTIMIZERS, [])):
            for table in self._tables.values():
                number = numbers[id(table.weight)]
                if number not in optimizer["state"]:
                    continue
                state = optimizer["state"][number] = dict(optimizer["state"][number])  # a copy: it is the live one
                for key, value in state.items():
                    if isinstance(value, Tensor) and value.dim() == table.block.dim():
                        yield f"{OPTIMIZERS}/{place}/{number}/{key}", state, key, table


def _rows(tensor: Tensor) -> Tensor:
    """Those of this rank."""
    rows: Tensor = tensor.to_local() if isinstance(tensor, DTensor) else tensor
    return rows
