"""What is known of the service that runs: a file that is there as long as it does."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from recsys.cli.whole_files import whole_file
from recsys_serving.triton.state import started_at

STATE = "service.json"

#: A variable of all processes of one start, by which they are known again.
START_VARIABLE = "SERVICE_START"


@dataclass(frozen=True, slots=True)
class ServiceState:
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

    pid: int
    started: int
    host: str
    port: int
    log: str
    token: str
    bundle: str

    @property
    def is_running(self) -> bool:
        """Whether the process is still there."""
        return started_at(self.pid) == self.started

    @property
    def url(self) -> str:
        """Where this machine reaches it."""
        host = "127.0.0.1" if self.host == "0.0.0.0" else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def save(self, directory: Path) -> None:
        """Write the state file into ``directory``, whole or not at all."""
        with whole_file(directory / STATE) as partial:
            partial.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")

    def processes(self) -> list[int]:
        """All processes of this start that are still there, also without the one that kept them."""
        mark = f"{START_VARIABLE}={self.token}".encode()
        return [pid for pid in _all_processes() if started_at(pid) is not None and mark in _variables(pid)]


def read_service_state(directory: Path) -> ServiceState | None:
    """The state in ``directory``, which may be that of a service that has ended; None where there is none to read."""
    try:
        return ServiceState(**json.loads((directory / STATE).read_text(encoding="utf-8")))
    except (OSError, json.JSONDecodeError, TypeError):
        return None


def _all_processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def _variables(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []  # it has ended, or is another user's
