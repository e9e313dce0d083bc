"""How many users are ranked for at once, by the memory of the device.

On a GPU each batch costs some launches and one wait, whatever its size, so that few large batches are best; what bounds
them is memory. On the CPU launches cost nothing, and scores that stay in the processor's caches are faster to choose
from; what bounds a batch is the cache.

Shape suffixes: I items of the catalogue, K list length.
"""

from __future__ import annotations

import torch

from recsys.models.linalg.device_memory import free_memory

#: Scores of a batch on the CPU, 16 MiB as float32, and its users at most. Of 2**20 to 2**24 scores none was faster.
CPU_SCORES = 2**22
CPU_USERS = 512

#: Scores of a batch at most, 2 GiB as float32: larger kernels are no faster, and some count with 32 bits.
MAX_SCORES = 2**29

#: Share of the free memory that a batch may take. The rest is for what the model itself holds while it scores.
MEMORY_SHARE = 0.5

#: Bytes of each score of a batch: the model's float32, the copy in which seen items are masked, and, where all users
#: have ties at the end of their lists, a copy of these rows, their order (int32) and a mask.
BYTES_PER_SCORE = 4 + 4 + 4 + 4 + 1

#: Bytes of each place of a list: its score (float32) and its item (int64), before and after each of two sorts, with the
#: order of each.
BYTES_PER_PLACE = 4 * (4 + 8) + 2 * 8

#: Bytes of each known pair: its row, its place among all pairs, a running number and the item, int64 each; once as a
#: history, once as seen.
BYTES_PER_PAIR = 2 * 4 * 8


def bytes_per_user(num_items: int, k: int, pairs_per_user: float = 0.0) -> int:
    """Bytes that each user of a batch needs at most on the device, besides what the model itself holds.

    Metrics are no part of it: they are computed from the lists, and a list is as long for any catalogue.

    Args:
        num_items: I.
        k: K.
        pairs_per_user: known pairs of a user, on average.
    """
    return BYTES_PER_SCORE * num_items + BYTES_PER_PLACE * (k + 1) + round(BYTES_PER_PAIR * pairs_per_user)


def users_in_memory(free_bytes: int, num_items: int, k: int, pairs_per_user: float = 0.0) -> int:
    """Users of a batch on a device with ``free_bytes`` of free memory, at least 1; other arguments as above.

    Example:
        >>> users = users_in_memory(80 * 2**30, num_items=26_744, k=50, pairs_per_user=144)
        >>> users, -(-138_493 // users)  # ML-20M: users of a batch, and batches
        (20074, 7)
    """
    in_memory = int(free_bytes * MEMORY_SHARE) // bytes_per_user(num_items, k, pairs_per_user)
    return max(1, min(in_memory, MAX_SCORES // max(num_items, 1)))


def users_per_batch(device: torch.device, num_items: int, k: int, pairs_per_user: float = 0.0) -> int:
    """Users of a batch on ``device`` as it is now; other arguments as above."""
    free = free_bytes(device)
    if free is None:
        return max(1, min(CPU_USERS, CPU_SCORES // max(num_items, 1)))
    return users_in_memory(free, num_items, k, pairs_per_user)


def free_bytes(device: torch.device) -> int | None:
    """Memory of ``device`` that nobody uses, with what PyTorch keeps for itself; None for the CPU."""
    return free_memory(device) if device.type == "cuda" else None
