"""Lightning's strategy for the ranks of a training, which are started and joined already."""

from __future__ import annotations

from typing import Any

from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning.strategies import DDPStrategy

from recsys.distributed.collectives import from_main
from recsys.distributed.ranks import ranks


class RankStrategy(DDPStrategy):
    """The processes of Lightning's ``ddp``, without its wrapper around the network.

    That adds up whole gradients while it goes backward, and has to know before which are sparse. Here whoever takes the
    steps exchanges gradients, see :mod:`recsys.training.gradient_exchange`.
    """

    def __init__(self) -> None:
        super().__init__(cluster_environment=_JoinedRanks())

    def configure_ddp(self) -> None:
        """Begin with the weights of rank 0."""
        assert self.model is not None
        for tensor in self.model.state_dict().values():
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


def rank_strategy() -> dict[str, Any]:
    """The argument of Lightning's ``Trainer`` for the ranks of this training; none where this process is alone."""
    return {} if ranks().size == 1 else {"strategy": RankStrategy()}
