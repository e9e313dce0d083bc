"""Lightning's strategy for the ranks of a training, which are started and joined already."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning.plugins.precision import DoublePrecision, Precision
from pytorch_lightning.strategies import DDPStrategy, ModelParallelStrategy, ParallelStrategy
from torch import nn
from torch.distributed.tensor import DTensor

from recsys.distributed.collectives import from_main
from recsys.distributed.ranks import ranks
from recsys.models.layers.sharded_embedding import sharded_rows
from recsys.training.ranks.checkpoint_rows import read_checkpoint
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
        _begin_alike(self.model)


class RowShardedStrategy(ModelParallelStrategy):
    """Lightning's strategy for tensors that are divided among ranks, here the rows of embedding tables.

    All ranks are one dimension of its mesh and take the same batches. Checkpoints are files of this project's own: they
    open without pickle and on any number of ranks, see :mod:`recsys.training.ranks.checkpoint_rows`.
    """

    # As in any other strategy: those of its base are of PyTorch's distributed checkpoints.
    restore_checkpoint_after_setup = ParallelStrategy.restore_checkpoint_after_setup
    lightning_restore_optimizer = ParallelStrategy.lightning_restore_optimizer
    lightning_module_state_dict = ParallelStrategy.lightning_module_state_dict
    load_model_state_dict = ParallelStrategy.load_model_state_dict
    optimizer_state = ParallelStrategy.optimizer_state
    load_optimizer_state_dict = ParallelStrategy.load_optimizer_state_dict

    def __init__(self, precision: Precision | None = None) -> None:
        super().__init__(data_parallel_size=1, tensor_parallel_size=ranks().size)
        self.cluster_environment = _JoinedRanks()
        self._precision_plugin = precision

    def model_to_device(self) -> None:
        """Begin with the weights of rank 0."""
        super().model_to_device()
        assert self.model is not None
        _begin_alike(self.model)

    def save_checkpoint(self, checkpoint: dict[str, Any], filepath: Any, storage_options: Any = None) -> None:
        """Write the rows of each rank, then all else on rank 0."""
        path = Path(filepath)
        self._tables.save(checkpoint, path)
        if self.is_global_zero:
            self.checkpoint_io.save_checkpoint(checkpoint, path)

    def load_checkpoint(self, checkpoint_path: Any, weights_only: bool | None = None) -> dict[str, Any]:
        """Read a checkpoint of any number of ranks: of tables the rows of this one."""
        checkpoint = read_checkpoint(Path(checkpoint_path), sharded_rows)
        self._tables.take_part(checkpoint)
        return checkpoint

    @property
    def _tables(self) -> ShardedTables:
        tables: ShardedTables = self.lightning_module.tables  # type: ignore[union-attr, assignment]
        return tables


def _begin_alike(network: nn.Module) -> None:
    """Give all ranks the weights of rank 0; divided rows are equal already."""
    for tensor in network.state_dict().values():
        if not isinstance(tensor, DTensor):
            from_main(tensor)


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


def rank_strategy(trainer: Callable[..., pl.Trainer], shard_embeddings: bool = False) -> dict[str, Any]:
    """Arguments of Lightning's ``Trainer`` for the ranks of this training; none where this process is alone.

    Args:
        trainer: takes them.
        shard_embeddings: have each rank hold some rows of the embedding tables.
    """
    if ranks().size == 1:
        return {}
    if not shard_embeddings:
        return {"strategy": RankStrategy()}
    if isinstance(trainer, partial) and trainer.keywords.get("precision") == "64-true":
        # By this word Lightning refuses it beside the strategy, which does not care.
        return {"strategy": RowShardedStrategy(DoublePrecision()), "precision": None}
    return {"strategy": RowShardedStrategy()}
