"""Counts the bytes that a rank gives to the others in a step, with tables of the size of MovieLens 20M."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

import torch
from hydra.utils import instantiate
from torch import Tensor

from counted.training_steps import NUM_ITEMS, NUM_USERS
from recsys.cli.configuration import compose_config
from recsys.distributed import collectives
from recsys.distributed.ranks import Ranks, set_ranks
from recsys.models.layers.embedding import Embedding
from recsys.training.optimizers.keeps_rows import KeepsRows
from recsys.training.ranks.gradient_exchange import GradientExchange

#: Ranks that share a batch.
SIZE = 2

#: Steps after which Adam updates touched rows alone.
_STEPS = 200.0


class _Alike:
    """Stands for ranks that all have what this one has."""

    @staticmethod
    def all_reduce(tensor: Tensor) -> None:
        """Leave the sum out."""

    @staticmethod
    def all_gather(every: Sequence[Tensor], own: Tensor) -> None:
        """Give what this one has, for each."""
        for of_rank in every:
            of_rank.copy_(own)


def bytes_given_per_step(model: str, by_rows: bool = True) -> int:
    """Bytes that one of two ranks gives to collectives in a step at the default settings.

    Args:
        model: such as ``mf``.
        by_rows: whether touched rows are exchanged; otherwise whole tables, as for an optimiser that updates all rows.
    """
    config = compose_config("train", overrides=[f"model={model}", "data=synthetic"])
    torch.manual_seed(0)
    network = instantiate(config.model)(num_users=NUM_USERS, num_items=NUM_ITEMS)
    optimizer = instantiate(config.training.optimizer)(network.parameters())
    tables = [module for module in network.modules() if isinstance(module, Embedding)]
    own = 2048 // SIZE
    users = torch.randint(NUM_USERS, (own, 1))
    items = torch.randint(NUM_ITEMS, (own, 1 + config.training.negative_sampler.num_negatives))
    set_ranks(Ranks(0, SIZE, 0, SIZE))
    try:
        if by_rows:
            _keep_rows(optimizer, tables)
        network.score_pairs(users, items).sum().backward()
        before = collectives.traffic.bytes
        with patch.object(collectives, "distributed", _Alike):
            GradientExchange(network.parameters(), tables).exchange(own)
        return collectives.traffic.bytes - before
    finally:
        set_ranks(Ranks())


def _keep_rows(optimizer: Any, tables: Sequence[Embedding]) -> None:
    assert isinstance(optimizer, KeepsRows)
    for table in tables:
        optimizer.state[table.weight] = {
            "step": torch.tensor(_STEPS),
            "exp_avg": torch.zeros_like(table.weight),
            "exp_avg_sq": torch.zeros_like(table.weight),
        }
        optimizer.keep(table)
