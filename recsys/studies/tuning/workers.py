"""The workers of a study: who they are, and whether they still live.

Each worker gives a sign from time to time, which is a number in the storage that grows. Whoever sees the same number
for long enough by its own clock takes the worker for lost; clocks of several machines are never compared. A worker of
the same machine is known to be lost as soon as its process is gone, and to live as long as it is there.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:  # an extra, which a training without a search does not need
    from optuna import Study

#: Begins the names of the attributes of a study that hold its workers.
PREFIX = "worker "

#: Signs in the time after which a worker is taken for lost: so many may fail to come through.
_SIGNS = 10


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    """A process, so that others on its machine can tell whether it still runs.

    Args:
        machine: the machine since its start, and the part of its processes that can be seen; empty if it is not known.
        process: its number.
        started: when it started, in the clock ticks of the machine.
    """

    machine: str
    process: int
    started: int

    @classmethod
    def current(cls) -> WorkerProcess:
        """The process that calls."""
        return cls(_machine(), os.getpid(), _started(os.getpid()))

    def runs(self) -> bool | None:
        """Whether it runs; None where this machine cannot tell."""
        if not self.machine or self.machine != _machine():
            return None
        return _started(self.process) == self.started


class Workers:
    """This worker of a study, and what it knows of the others.

    Args:
        study: the study, whose attributes say who is there.
        lost_after_seconds: how long another one may give no sign.
        clock: gives the time in seconds.
    """

    def __init__(self, study: Study, lost_after_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
        self._study, self._lost_after_seconds, self._clock = study, lost_after_seconds, clock
        self._process = WorkerProcess.current()
        self._signs = 0
        self._first_seen: dict[str, tuple[object, float]] = {}

    @contextmanager
    def present(self) -> Iterator[None]:
        """Give signs until the end of the block."""
        ended = threading.Event()
        self._give_sign()
        thread = threading.Thread(target=self._give_signs, args=(ended,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            with suppress(Exception):  # the storage is away: it is seen that no signs come
                self._give_sign(left=True)

    def others(self) -> set[str]:
        """Names of the other workers that are not known to be lost."""
        return {name for name, there in self._others().items() if there}

    def is_lost(self, name: str) -> bool:
        """Whether a worker is lost, or has left."""
        return name != self.name and not self._others().get(name, False)

    def is_unchanged(self, key: str, value: object) -> bool:
        """Whether a value that is stored has been the same for so long that nobody is about it any more.

        Args:
            key: which value.
            value: what it is now.
        """
        known, since = self._first_seen.get(key, (None, 0.0))
        if key not in self._first_seen or known != value:
            since = self._clock()
            self._first_seen[key] = (value, since)
        return self._clock() - since >= self._lost_after_seconds

    def _others(self) -> dict[str, bool]:
        attributes = self._study.user_attrs
        return {
            key.removeprefix(PREFIX): self._lives(key, value)
            for key, value in attributes.items()
            if key.startswith(PREFIX) and key != PREFIX + self.name
        }

    def _lives(self, key: str, noted: Mapping[str, Any]) -> bool:
        if noted["left"]:
            return False
        runs = WorkerProcess(noted["machine"], noted["process"], noted["started"]).runs()
        return not self.is_unchanged(key, noted["signs"]) if runs is None else runs

    def _give_signs(self, ended: threading.Event) -> None:
        while not ended.wait(self._lost_after_seconds / _SIGNS):
            with suppress(Exception):  # the storage is away for a moment, and several signs may fail to come through
                self._give_sign()

    def _give_sign(self, left: bool = False) -> None:
        self._signs += 1
        process = self._process
        noted = {"machine": process.machine, "process": process.process, "started": process.started}
        self._study.set_user_attr(PREFIX + self.name, noted | {"signs": self._signs, "left": left})


def _machine() -> str:
    """This machine since its start, and the processes of it that can be seen from here; empty if that is not known."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:  # not on Linux
        return ""


def _started(process: int) -> int:
    """When a process started, in clock ticks since the start of the machine; -1 if it does not run."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return -1
    fields = text.rpartition(")")[2].split()  # the name before it may have any character
    state, started = fields[0], fields[19]
    return -1 if state in "ZX" else int(started)
