"""Small data of implicit feedback, and histories, for tests of linear and neighbourhood models."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions


def small_data(num_users: int = 30, num_items: int = 12, seed: int = 0) -> Interactions:
    """Random interactions with ratings and distinct times; some items are popular, user 3 and item 5 have none."""
    random = np.random.default_rng(seed)
    chance = random.random(num_items) * 0.7
    present = random.random((num_users, num_items)) < chance
    present[3], present[:, 5] = False, False
    users, items = np.nonzero(present)
    order = random.permutation(len(users))
    return Interactions(
        users[order].astype(np.int32),
        items[order].astype(np.int32),
        random.integers(1, 6, len(users)).astype(np.float32),
        random.permutation(len(users)).astype(np.int64) * 86_400,
        None,
        num_users,
        num_items,
    )


def dense(interactions: Interactions) -> npt.NDArray[np.float64]:
    """Ones at the interactions, shape [users, items]."""
    matrix = np.zeros((interactions.num_users, interactions.num_items))
    matrix[interactions.user_index, interactions.item_index] = 1
    return matrix


def histories_of(*rows: list[int]) -> Histories:
    """Histories without ratings or timestamps."""
    counts = torch.tensor([0, *(len(row) for row in rows)])
    items = torch.tensor([item for row in rows for item in row], dtype=torch.int64)
    return Histories(counts.cumsum(0), items, None, None)
