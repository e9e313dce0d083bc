"""Batches of the users of a task, with the sizes of what they need known on the host.

How many interactions the users of a batch have is a shape on the device. Asked of the device, each shape makes the host
wait until all kernels before it have run; here they are counted once, before the first batch.

Shape suffixes: B users of a batch, U users of the task.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from recsys.data.interactions import IntArray
from recsys.evaluation.ranking_task import RankingTask


@dataclass(frozen=True, slots=True, eq=False)
class UserBatch:
    """Some users that are ranked for at once.

    Args:
        users: internal indices, shape [B], int64, on the device.
        history_lengths: known interactions of each, shape [B], on the host; None: not known there.
        num_seen: seen items of all of them together; None: not known on the host.
    """

    users: Tensor
    history_lengths: IntArray | None = None
    num_seen: int | None = None

    def __len__(self) -> int:
        return len(self.users)


class UserBatches:
    """Slices of the users of a task, in their order.

    Args:
        task: whose users. Their counts are read from the device here, once.
        size: users of a batch; the last one has fewer.
    """

    def __init__(self, task: RankingTask, size: int) -> None:
        self._users = task.users
        self._lengths = task.histories.host_lengths()[task.users.cpu().numpy()]
        seen = task.seen.counts[task.users].cpu().numpy()
        self._seen_before = np.concatenate([[0], np.cumsum(seen)])
        self._size = size

    def __len__(self) -> int:
        return -(-len(self._users) // self._size)

    def __iter__(self) -> Iterator[UserBatch]:
        for start in range(0, len(self._users), self._size):
            yield self.at(slice(start, start + self._size))

    def at(self, place: slice) -> UserBatch:
        """The users at some places of the task's users, of step 1."""
        start, stop, _ = place.indices(len(self._users))
        num_seen = int(self._seen_before[stop] - self._seen_before[start])
        return UserBatch(self._users[start:stop], self._lengths[start:stop], num_seen)
