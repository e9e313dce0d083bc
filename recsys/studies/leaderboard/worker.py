"""A process that does jobs for this one and can be stopped in the middle of any.

A fit cannot be interrupted from within, and one that needs too much memory takes its process with it; so neither
happens in the process that keeps the results.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from recsys.errors import RecsysError, RunError

#: How often the caller's ``tick`` is called while it waits.
_TICK_SECONDS = 0.2

#: What a fresh process has imported already, where processes are forked from one that has: all that trials and
#: trainings need. Lightning alone takes several seconds, which each training would spend anew.
_PRELOADED = [
    "recsys.studies.leaderboard.jobs",
    "pytorch_lightning",
    "recsys.runs.training_run",
    "recsys.reporting.run_report",
    "recsys.training.reports.learning_curves",
]


class Worker:
    """Does one job after another in a process of its own, which is started when it is needed.

    Args:
        tick: called every now and then while a job is waited for.

    Example:
        >>> with Worker() as worker:  # doctest: +SKIP
        ...     worker.call(slow_function, 5, limit_seconds=60)
    """

    def __init__(self, tick: Callable[[], None] = lambda: None) -> None:
        self._tick = tick
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None

    def __enter__(self) -> Worker:
        """Nothing is started yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the process."""
        self.stop()

    @property
    def is_running(self) -> bool:
        """Whether there is a process, which may have something loaded."""
        return self._process is not None and self._process.is_alive()

    def call(self, function: Callable[..., Any], *arguments: Any, limit_seconds: float | None = None) -> Any:
        """What ``function(*arguments)`` returns there.

        Args:
            function: defined at the top level of a module, as pickle needs it.
            arguments: of the function.
            limit_seconds: after which the process is killed; None waits for ever.

        Raises:
            RunError: the function raised an error, its time was up, or its process came to an end.
        """
        connection = self._started()
        connection.send((function, arguments))
        deadline = None if limit_seconds is None else time.monotonic() + limit_seconds
        while not connection.poll(_TICK_SECONDS):
            self._tick()
            if deadline is not None and time.monotonic() > deadline:
                self.stop()
                raise RunError(f"It was stopped after {limit_seconds:.0f} s, its share of the time.")
        try:
            failed, answer = connection.recv()
        except (EOFError, OSError):
            code = self._process.exitcode if self._process is not None else None
            self.stop()
            raise RunError(
                f"Its process was ended from outside (status {code}), which the system does when memory runs out."
            ) from None
        if failed:
            raise RunError(answer)
        return answer

    def stop(self) -> None:
        """Kill the process; the next job starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None

    def _started(self) -> Connection:
        if self._connection is None or not self.is_running:
            self.stop()
            context = _context()
            self._connection, theirs = context.Pipe()
            # Not a daemon: a job may have processes of its own.
            self._process = context.Process(target=_serve, args=(theirs,))
            self._process.start()
            theirs.close()
        return self._connection


def _context() -> Any:
    """New processes are forked from one that has imported the library and done nothing else, where that is possible."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


def _serve(connection: Connection) -> None:
    """Do the jobs that come through ``connection`` until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the caller's, who then stops this process
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    while True:
        try:
            function, arguments = connection.recv()
        except (EOFError, OSError):
            return
        try:
            answer = (False, function(*arguments))
        except Exception as error:  # one model that fails must not end the others
            answer = (True, _message(error))
        with contextlib.suppress(OSError):
            connection.send(answer)


def _end_with(parent: int) -> None:
    """End this process when the one that started it is gone, killed for instance."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _message(error: BaseException) -> str:
    """The text of the first error of ours among the causes; else what kind of error, and its first line."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, RecsysError):
            return str(cause)
        cause = cause.__cause__
    traceback.print_exception(error)
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}"
