"""What is known of the service that runs: a file that is there as long as it does."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from recsys_serving.local.background_server import BackgroundServer
from recsys_serving.triton.state import started_at

STATE = "service.json"

#: A variable of all processes of one start, by which they are known again.
START_VARIABLE = "SERVICE_START"


@dataclass(frozen=True, slots=True)
class ServiceState(BackgroundServer):
    """A service that was started.

    Args:
        pid: of the process that keeps the workers.
        started: when it started, in ticks since the machine did.
        host: where it listens.
        port: where it listens.
        log: what it writes.
        token: of this start, see :data:`START_VARIABLE`.
        bundle: that answered first.
    """

    token: str
    bundle: str

    def save(self, directory: Path) -> None:
        """Write the state file into ``directory``, whole or not at all."""
        self.write(directory / STATE)

    def processes(self) -> list[int]:
        """All processes of this start that are still there, also without the one that kept them."""
        mark = f"{START_VARIABLE}={self.token}".encode()
        return [pid for pid in _all_processes() if started_at(pid) is not None and mark in _variables(pid)]


def read_service_state(directory: Path) -> ServiceState | None:
    """The state in ``directory``, which may be that of a service that has ended; None where there is none to read."""
    return ServiceState.read(directory / STATE)


def _all_processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def _variables(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []  # it has ended, or is another user's
