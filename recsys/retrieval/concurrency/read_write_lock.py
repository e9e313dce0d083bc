"""A lock that many readers hold together, or one writer alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from recsys.retrieval.concurrency.fork_safety import call_after_fork


class ReadWriteLock:
    """Lets any number read at once, and one write while nobody reads.

    A writer that waits goes before readers that come later, so that a stream of readers cannot keep it out. A reader
    that waits within its own reading would wait for ever: a thread takes the lock once. Taking it costs a reader about
    a microsecond.
    """

    def __init__(self) -> None:
        self.begin_anew()
        call_after_fork(self.begin_anew)

    def begin_anew(self) -> None:
        """Let nobody hold the lock, as in a process that was forked."""
        self._changed = threading.Condition()
        self._readers = 0
        self._waiting = 0
        self._writing = False

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold the lock together with other readers."""
        with self._changed:
            while self._writing or self._waiting:
                self._changed.wait()
            self._readers += 1
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                if self._readers == 0:
                    self._changed.notify_all()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock alone."""
        with self._changed:
            self._waiting += 1
            while self._writing or self._readers:
                self._changed.wait()
            self._waiting -= 1
            self._writing = True
        try:
            yield
        finally:
            with self._changed:
                self._writing = False
                self._changed.notify_all()
