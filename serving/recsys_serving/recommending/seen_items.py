"""Items that users have seen so long ago that no history has them, remembered as long as nothing of a user changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import NamedTuple

from recsys_serving.resilience.deadline import Deadline
from recsys_serving.resilience.dependency import DependencyUnavailable
from recsys_serving.store.users.records import UserState

#: Reads when a user last interacted with each item.
ReadSeen = Callable[[str, Deadline], Mapping[str, float]]


class _SeenItems(NamedTuple):
    revision: int
    seen: Mapping[str, float]


class SeenItems:
    """Remembers what was read; threads may share it.

    Args:
        read: reads what a user has seen.
        max_items: that are remembered of all users together; those that were asked for latest stay.
    """

    def __init__(self, read: ReadSeen, max_items: int) -> None:
        self._read, self._max_items = read, max_items
        self._lock = threading.Lock()
        self._users: OrderedDict[str, _SeenItems] = OrderedDict()
        self._num_items = 0

    def older(self, state: UserState, deadline: Deadline) -> tuple[Mapping[str, float], bool]:
        """What a user has seen besides the history, and whether the store was missed.

        Where the store does not answer, it is what was read last, of whatever revision.
        """
        remembered = self._users.get(state.user_id)
        if remembered is None or remembered.revision != state.revision:
            try:
                seen = self._read(state.user_id, deadline)
            except DependencyUnavailable:
                return ({} if remembered is None else remembered.seen), True
            history = set(state.item_ids)
            remembered = _SeenItems(
                state.revision, {item_id: at for item_id, at in seen.items() if item_id not in history}
            )
        self._remember(state.user_id, remembered)
        return remembered.seen, False

    def forget(self, user_id: str) -> None:
        """Remember a user no more."""
        with self._lock:
            self._pop(user_id)

    def _remember(self, user_id: str, remembered: _SeenItems) -> None:
        with self._lock:
            self._pop(user_id)
            self._users[user_id] = remembered
            self._num_items += len(remembered.seen)
            while self._num_items > self._max_items and len(self._users) > 1:
                self._pop(next(iter(self._users)))

    def _pop(self, user_id: str) -> None:
        before = self._users.pop(user_id, None)
        if before is not None:
            self._num_items -= len(before.seen)
