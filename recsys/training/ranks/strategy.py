"""Lightning's strategy for the ranks of a training, which are started and joined already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning.strategies import DDPStrategy

from recsys.distributed.collectives import from_main
from recsys.distributed.ranks import ranks
from recsys.models.layers.sharded_embedding import sharded_tables
from recsys.training.ranks.checkpoint_rows import read_checkpoint, whole
from recsys.training.ranks.sharded_tables import ShardedTables


class RankStrategy(DDPStrategy):
    """The processes of Lightning's ``ddp``, without its wrapper around the network.

    That adds up whole gradients while it goes backward, and has to know before which are sparse. Here whoever takes the
    steps exchanges gradients, see :mod:`recsys.training.ranks.gradient_exchange`.
    """

    def __init__(self) -> None:
        super().__init__(cluster_environment=_JoinedRanks())

    def configure_ddp(self) -> None:
        """Begin with the weights of rank 0."""
        assert self.model is not None
        divided = {table.weight.data_ptr() for table in sharded_tables(self.model).values()}
        for tensor in self.model.state_dict().values():
            if tensor.data_ptr() not in divided:
                from_main(tensor)

    def save_checkpoint(self, checkpoint: dict[str, Any], filepath: Any, storage_options: Any = None) -> None:
        """Write a checkpoint on rank 0; of divided tables every rank writes its rows, before it."""
        path, tables = Path(filepath), self._tables
        if tables is not None:
            tables.save(checkpoint, path)
        super().save_checkpoint(checkpoint, path)

    def load_checkpoint(self, checkpoint_path: Any, weights_only: bool | None = None) -> dict[str, Any]:
        """Read a checkpoint: of divided tables the rows of this rank."""
        tables = self._tables
        checkpoint = read_checkpoint(Path(checkpoint_path), whole if tables is None else ranks().part)
        if tables is not None:
            tables.take_part(checkpoint)
        return checkpoint

    @property
    def _tables(self) -> ShardedTables | None:
        return getattr(self.lightning_module, "tables", None)


class _JoinedRanks(LightningEnvironment):
    """Tells Lightning which rank this is."""

    @property
    def creates_processes_externally(self) -> bool:
        """They are there."""
        return True

    def world_size(self) -> int:
        """All ranks."""
        return ranks().size

    def global_rank(self) -> int:
        """This one."""
        return ranks().rank

    def local_rank(self) -> int:
        """This one among those of its machine."""
        return ranks().local_rank

    def node_rank(self) -> int:
        """The machine."""
        return ranks().rank // ranks().local_size


def rank_strategy() -> dict[str, Any]:
    """The argument of Lightning's ``Trainer`` for the ranks of this training; none where this process is alone."""
    return {} if ranks().size == 1 else {"strategy": RankStrategy()}
