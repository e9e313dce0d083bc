"""Notes the lists that were shown, without making anyone wait.

Lists wait in a queue with a bound and are written in batches by a thread: to the store, or to the spool while the store
is away. A crash loses what was not written yet, a fraction of a second; what does not fit into the queue, or what
neither store nor spool take, is counted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from recsys_serving.spool.commands import exposures_command
from recsys_serving.spool.errors import SpoolError
from recsys_serving.spool.spool import Spool
from recsys_serving.store.errors import StoreError, StoreUnavailable
from recsys_serving.store.events.records import Exposure
from recsys_serving.store.store import Store

_log = logging.getLogger(__name__)

#: Lists that are written at once.
BATCH = 500


#: What became of a list.
ExposureFate = Literal["waiting", "stored", "spooled", "dropped"]

#: Is told what became of so many lists of an experiment and a variant; of those that wait no longer, a negative number.
OnExposures = Callable[[ExposureFate, "str | None", "str | None", int], None]


class ExposureCounts(NamedTuple):
    """What became of the lists since the process began.

    Args:
        waiting: are in the queue now.
        stored: are in the store.
        spooled: went to the spool.
        dropped: are lost: the queue was full, or nothing took them.
    """

    waiting: int
    stored: int
    spooled: int
    dropped: int


class ExposureLog:
    """Writes exposures in a thread of its own.

    Args:
        store: where they go.
        spool: where they go while the store is away; None: they are lost then.
        max_waiting: lists that wait, at most.
        flush_seconds: that a list waits at most, while the store answers.
        on_exposures: is told what becomes of lists.
    """

    def __init__(
        self,
        store: Store,
        spool: Spool | None,
        max_waiting: int = 10_000,
        flush_seconds: float = 0.5,
        on_exposures: OnExposures = lambda fate, experiment_id, variant, number: None,
    ) -> None:
        self._store, self._spool = store, spool
        self._max_waiting, self._flush_seconds = max_waiting, flush_seconds
        self._on_exposures = on_exposures
        self._changed = threading.Condition()
        self._waiting: deque[Exposure] = deque()
        self._writing = 0
        self._stored = self._spooled = self._dropped = 0
        self._closed = self._flushing = False
        self._thread = threading.Thread(target=self._work, name="exposure-log", daemon=True)
        self._thread.start()

    def append(self, exposure: Exposure) -> bool:
        """Note a list; False where the queue is full."""
        with self._changed:
            if self._closed or len(self._waiting) + self._writing >= self._max_waiting:
                self._dropped += 1
                is_taken = False
            else:
                self._waiting.append(exposure)
                is_taken = True
                if len(self._waiting) in (1, BATCH):  # the first one begins the time that it waits
                    self._changed.notify_all()
        self._tell("waiting" if is_taken else "dropped", [exposure])
        return is_taken

    def forget(self, user_id: str) -> None:
        """Drop what waits of a user, who was erased. What is being written now, the store leaves out."""
        with self._changed:
            gone = [one for one in self._waiting if one.user_id == user_id]
            kept = [one for one in self._waiting if one.user_id != user_id]
            self._waiting.clear()
            self._waiting.extend(kept)
        self._tell("waiting", gone, -1)

    def counts(self) -> ExposureCounts:
        """What became of the lists."""
        with self._changed:
            waiting = len(self._waiting) + self._writing
            return ExposureCounts(waiting, self._stored, self._spooled, self._dropped)

    def flush(self, timeout_seconds: float = 10.0) -> bool:
        """Write what waits; False where that takes longer."""
        end = time.monotonic() + timeout_seconds
        with self._changed:
            self._flushing = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not self._waiting and not self._writing, end - time.monotonic())

    def close(self, timeout_seconds: float = 10.0) -> None:
        """Write what waits, and end the thread. What comes later is lost, and counted."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(timeout_seconds)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting) or self._closed)
                if not self._waiting:
                    return
                # Lists that come soon after the first go along with it.
                self._changed.wait_for(
                    lambda: len(self._waiting) >= BATCH or self._closed or self._flushing, self._flush_seconds
                )
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                self._writing = len(batch)
            fates = self._write(batch)
            self._tell("waiting", batch, -1)
            for fate in set(fates):
                self._tell(fate, [one for one, its in zip(batch, fates, strict=True) if its == fate])
            with self._changed:
                self._writing = 0
                self._flushing = self._flushing and bool(self._waiting)
                self._stored += fates.count("stored")
                self._spooled += fates.count("spooled")
                self._dropped += fates.count("dropped")
                self._changed.notify_all()

    def _tell(self, fate: ExposureFate, exposures: Iterable[Exposure], sign: int = 1) -> None:
        for (experiment_id, variant), number in Counter((one.experiment_id, one.variant) for one in exposures).items():
            self._on_exposures(fate, experiment_id, variant, sign * number)

    def _write(self, batch: Sequence[Exposure]) -> list[ExposureFate]:
        """What became of each list."""
        try:
            self._store.exposures.append(batch)
            return ["stored"] * len(batch)
        except StoreUnavailable:
            return ["spooled" if self._is_spooled(batch) else "dropped"] * len(batch)
        except StoreError as error:
            if len(batch) > 1:
                # One of them is at fault, and the others shall not be lost with it.
                return [fate for one in batch for fate in self._write([one])]
            _log.error("The list %s is lost: %s", batch[0].recommendation_id, error)
        except Exception:
            _log.exception("%d lists are lost.", len(batch))
        return ["dropped"] * len(batch)

    def _is_spooled(self, batch: Sequence[Exposure]) -> bool:
        if self._spool is None:
            _log.error("%d lists are lost: the store is away, and there is no spool.", len(batch))
            return False
        try:
            self._spool.append([exposures_command(batch)])
        except SpoolError as error:
            _log.error("%d lists are lost: %s", len(batch), error)
            return False
        return True
