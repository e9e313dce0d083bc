"""Counts the steps of the two-tower model, at the settings and sizes of ``experiment=beauty_two_tower``."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pyarrow as pa
import torch
from hydra.utils import instantiate

from counted.operators import OperatorCount
from counted.training_steps import counted_call
from recsys.cli.configuration import compose_config
from recsys.data.features import FeatureTable
from recsys.data.interactions import Interactions
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.training.module import STEPS_PER_CALL
from recsys.training.next_item import NextItemModule

#: Users and items of Amazon Beauty, and the most interactions of a user that are drawn.
NUM_USERS, NUM_ITEMS, MOST_INTERACTIONS = 22_363, 12_101, 60

#: Items of a larger one, each of which few users have.
LARGE_CATALOGUE = 100_000


@cache
def count_two_tower() -> OperatorCount:
    """What ``STEPS_PER_CALL`` steps of the optimiser do."""
    return counted_call(beauty_module(NUM_USERS, NUM_ITEMS), calls=2)


def bytes_per_step() -> int:
    """Bytes that the operators of one step read and write, of a catalogue whose touched rows alone are updated."""
    counted = counted_call(beauty_module(NUM_USERS, LARGE_CATALOGUE, "training.batch_size=64"))
    return math.ceil(counted.bytes / STEPS_PER_CALL)


def beauty_module(num_users: int, num_items: int, *overrides: str) -> NextItemModule:
    """The training of ``experiment=beauty_two_tower`` on made-up data.

    Args:
        num_users: of the data.
        num_items: of the data.
        *overrides: of ``scripts/train.py``.
    """
    config = compose_config("train", overrides=["experiment=beauty_two_tower", *overrides])
    torch.manual_seed(0)
    network = instantiate(config.model)(num_users=num_users, num_items=num_items)
    network.set_item_features(_attributes(num_items))
    module: NextItemModule = instantiate(config.training)(
        network=network, interactions=_interactions(num_users, num_items)
    )
    return module


def _attributes(num_items: int) -> FeatureTable:
    """A column of up to three values of each item."""
    table = pa.table({"attributes": [f"a{item % 7}|b{item % 11}|c{item % 600}" for item in range(num_items)]})
    return FeatureTable.from_table(table, (FeatureColumn("attributes", FeatureKind.MULTI_VALUED, separator="|"),))


def _interactions(num_users: int, num_items: int) -> Interactions:
    """From five interactions a user, few with many, as there; with seed 0."""
    random = np.random.default_rng(0)
    counts = np.minimum(4 + random.geometric(0.2, num_users), MOST_INTERACTIONS)
    total = int(counts.sum())
    return Interactions(
        np.repeat(np.arange(num_users, dtype=np.int32), counts),
        random.integers(num_items, size=total, dtype=np.int32),
        None,
        np.arange(total, dtype=np.int64),
        None,
        num_users,
        num_items,
    )


def kernels_per_step() -> int:
    """Operators of one step."""
    return math.ceil(count_two_tower().kernels / STEPS_PER_CALL)


def synchronisations_per_step() -> float:
    """How often the host waits for the device in one step."""
    return count_two_tower().synchronisations / STEPS_PER_CALL
