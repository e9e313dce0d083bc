"""Calls whose caller waits for a limited time, whatever the other side does.

A statement timeout is kept by a server that runs. One that was stopped, or a network that swallows packets, keeps
nothing; here the caller goes on all the same, and the call is left to end by itself in its thread.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from recsys.errors import ServingError

ResultT = TypeVar("ResultT")


class CallTimeout(ServingError):
    """A call did not end within the time that its caller had."""


class BoundedCalls:
    """Runs calls in threads of its own; threads may share it.

    Threads are daemons: one that waits for a dead server does not keep the process from ending.

    Args:
        name: of the threads.
        max_threads: calls at once. Where all of them hang, a further call waits for a free one, and its time runs.
    """

    def __init__(self, name: str, max_threads: int = 16) -> None:
        self._name = name
        self._max_threads = max_threads
        self._lock = threading.Lock()
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._num_threads = 0
        self._num_idle = 0
        self._closed = False

    def run(self, call: Callable[[], ResultT], timeout_seconds: float) -> ResultT:
        """What the call returns; raises what it raises.

        Raises:
            CallTimeout: it did not end in time.
            ServingError: these calls were closed.
        """
        if self._closed:
            raise ServingError(f"The {self._name} was closed.")
        waiting = _Call(call)
        self._ensure_thread()
        self._calls.put(waiting)
        if not waiting.done.acquire(timeout=max(0.0, timeout_seconds)):
            waiting.abandoned = True
            raise CallTimeout(f"The {self._name} did not answer within {timeout_seconds:.3g} s.")
        if waiting.error is not None:
            try:
                raise waiting.error
            finally:
                waiting.error = None  # no cycle through the traceback
        result: ResultT = waiting.result
        return result

    def close(self) -> None:
        """Let the threads end when their calls have."""
        self._closed = True
        for _ in range(self._num_threads):
            self._calls.put(None)

    def _ensure_thread(self) -> None:
        if self._num_idle > self._calls.qsize() or self._num_threads >= self._max_threads:
            return
        with self._lock:
            if self._num_threads < self._max_threads:
                self._num_threads += 1
                number = self._num_threads
                threading.Thread(target=self._work, name=f"{self._name}-{number}", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                self._num_idle += 1
            call = self._calls.get()
            with self._lock:
                self._num_idle -= 1
            if call is None:
                return
            call.run()


class _Call:
    """One call on its way."""

    __slots__ = ("abandoned", "call", "done", "error", "result")

    def __init__(self, call: Callable[[], Any]) -> None:
        self.call = call
        self.done = threading.Lock()
        self.done.acquire()
        self.abandoned = False
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        if not self.abandoned:
            try:
                self.result = self.call()
            except BaseException as error:
                self.error = error
        self.done.release()
