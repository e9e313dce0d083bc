"""What became of items in slots that explore, read from the store in the background: what Thompson's draws go by.

An answer never waits for it: it has the counts of the last reading, and none before the first one, so that all items
are as likely. While the store is away, the last ones stay. Nothing is read while nobody asks.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from recsys.errors import RecsysError
from recsys_serving.recommending.options import ItemCountOptions
from recsys_serving.resilience.repeating_thread import RepeatingThread
from recsys_serving.store.store import Store

_log = logging.getLogger(__name__)

#: Most lists and items that are counted: the latest lists, and the items shown most often.
MAX_LISTS, MAX_ITEMS = 200_000, 50_000


class ItemCounts:
    """Counts of items; threads may share it.

    Args:
        store: with the lists and what came of them.
        options: what is counted, and how often.
    """

    def __init__(self, store: Store, options: ItemCountOptions) -> None:
        self._store, self._options = store, options
        self._counts: Mapping[str, tuple[int, int]] = {}
        self._is_asked = False
        seconds = options.interval_seconds
        self._thread = RepeatingThread("item-counts", self._refresh_where_asked, seconds, seconds)

    def start(self) -> None:
        """Begin to read, once somebody asks."""
        self._thread.start()

    def close(self) -> None:
        """End, after what is being read."""
        self._thread.close()

    def of(self, item_ids: Sequence[str]) -> tuple[list[int], list[int]]:
        """Successes and failures of items, by the last reading; 0 of an item that was not counted."""
        self._is_asked = True
        counts = self._counts
        found = [counts.get(name, (0, 0)) for name in item_ids]
        return [successes for successes, _ in found], [trials - successes for successes, trials in found]

    def refresh(self) -> bool:
        """Read the counts; False where the store is away, and those of before stay.

        A list counts once its time for outcomes is over: sooner, it would be a failure of all its items.
        """
        options, now = self._options, datetime.now(UTC)
        try:
            counted = self._store.outcomes.item_trials(
                now - timedelta(days=options.days),
                now - timedelta(seconds=options.outcome_seconds),
                options.types,
                options.outcome_seconds,
                MAX_LISTS,
                MAX_ITEMS,
            )
        except RecsysError as error:
            _log.info("Items were not counted: %s", error)
            return False
        self._counts = {one.item_id: (one.successes, one.trials) for one in counted}
        return True

    def _refresh_where_asked(self) -> None:
        if self._is_asked:
            self._is_asked = False
            self.refresh()
