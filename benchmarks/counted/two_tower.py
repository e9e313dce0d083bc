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

#: Users and items of Amazon Beauty, and the most interactions of a user that are drawn.
NUM_USERS, NUM_ITEMS, MOST_INTERACTIONS = 22_363, 12_101, 60


@cache
def count_two_tower() -> OperatorCount:
    """What ``STEPS_PER_CALL`` steps of the optimiser do."""
    config = compose_config("train", overrides=["experiment=beauty_two_tower"])
    torch.manual_seed(0)
    network = instantiate(config.model)(num_users=NUM_USERS, num_items=NUM_ITEMS)
    network.set_item_features(_attributes())
    return counted_call(instantiate(config.training)(network=network, interactions=_interactions()))


def _attributes() -> FeatureTable:
    """A column of up to three values of each item."""
    table = pa.table({"attributes": [f"a{item % 7}|b{item % 11}|c{item % 600}" for item in range(NUM_ITEMS)]})
    return FeatureTable.from_table(table, (FeatureColumn("attributes", FeatureKind.MULTI_VALUED, separator="|"),))


def _interactions() -> Interactions:
    """From five interactions a user, few with many, as there; with seed 0."""
    random = np.random.default_rng(0)
    counts = np.minimum(4 + random.geometric(0.2, NUM_USERS), MOST_INTERACTIONS)
    total = int(counts.sum())
    return Interactions(
        np.repeat(np.arange(NUM_USERS, dtype=np.int32), counts),
        random.integers(NUM_ITEMS, size=total, dtype=np.int32),
        None,
        np.arange(total, dtype=np.int64),
        None,
        NUM_USERS,
        NUM_ITEMS,
    )


def kernels_per_step() -> int:
    """Operators of one step."""
    return math.ceil(count_two_tower().kernels / STEPS_PER_CALL)


def synchronisations_per_step() -> float:
    """How often the host waits for the device in one step."""
    return count_two_tower().synchronisations / STEPS_PER_CALL
