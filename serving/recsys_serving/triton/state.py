"""What is known of the server that runs: a file that is there as long as it does."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from recsys.cli.whole_files import whole_file

STATE = "state.json"


@dataclass(frozen=True, slots=True)
class ServerState:
    """A server that was started.

    Args:
        pid: of its supervisor's process.
        started: when that process started, in ticks since the machine did: tells it from a later one with its number.
        repository: the models that it serves.
        http_port: of the HTTP interface.
        grpc_port: of the gRPC interface.
        metrics_port: of the metrics.
        log: what it writes.
        private: a directory of this start alone, removed when the server is stopped.
        admin_key: that loading and unloading models needs; None: anybody may.
        address: where HTTP and the metrics listen.
        grpc_address: where gRPC listens; None: as the others.
    """

    pid: int
    started: int
    repository: str
    http_port: int
    grpc_port: int
    metrics_port: int
    log: str
    private: str
    admin_key: str | None = None
    address: str = "127.0.0.1"
    grpc_address: str | None = None

    @property
    def is_running(self) -> bool:
        """Whether the process is still there."""
        return started_at(self.pid) == self.started

    @property
    def host(self) -> str:
        """Where this machine reaches HTTP and the metrics."""
        return _reached_at(self.address)

    @property
    def http_url(self) -> str:
        """Where HTTP is spoken."""
        return f"{self.host}:{self.http_port}"

    @property
    def grpc_url(self) -> str:
        """Where gRPC is spoken."""
        return f"{_reached_at(self.grpc_address or self.address)}:{self.grpc_port}"

    def save(self, directory: Path) -> None:
        """Write the state file into ``directory``, whole or not at all."""
        with whole_file(directory / STATE) as partial:
            partial.touch(mode=0o600)  # the key is for its owner alone
            partial.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")


def _reached_at(address: str) -> str:
    return "127.0.0.1" if address == "0.0.0.0" else address


def read_state(directory: Path) -> ServerState | None:
    """The state in ``directory``, which may be that of a server that has ended; None where there is none to read."""
    try:
        return ServerState(**json.loads((directory / STATE).read_text(encoding="utf-8")))
    except (OSError, json.JSONDecodeError, TypeError):
        return None


def running_server(directory: Path) -> ServerState | None:
    """The server that runs; None where none does, whatever the state file says."""
    state = read_state(directory)
    return state if state is not None and state.is_running else None


def started_at(pid: int) -> int | None:
    """When a process started, in ticks since the machine did; None where there is none, or only its remains."""
    try:
        # The name of the program stands in brackets and may hold anything, brackets and blanks included.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else int(fields[19])
