"""What a supervisor is told: the server that it starts, and starts again, and where it listens in front of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

PLAN = "plan.json"

#: Where the server itself speaks HTTP, relative to its working directory: a socket that only its owner can reach.
HTTP_SOCKET = "http.sock"


@dataclass(frozen=True, slots=True)
class Plan:
    """A server and its surroundings.

    Args:
        command: the server's program and arguments.
        variables: its environment.
        repository: the models that it serves.
        private: its working directory, which is of one start alone; its name begins its shared memory.
        directory: where the supervisor says how the server is, see :mod:`recsys_serving.triton.guard.health`.
        address: where the checked HTTP interface listens.
        http_port: of it.
        grpc_url: where the server speaks gRPC.
        memory_bytes: that each process of the server may have for itself; None: no limit.
        timeout_seconds: how long the models may take to be ready.
    """

    command: list[str]
    variables: dict[str, str]
    repository: str
    private: str
    directory: str
    address: str
    http_port: int
    grpc_url: str
    memory_bytes: int | None
    timeout_seconds: float

    @property
    def http_socket(self) -> Path:
        """See :data:`HTTP_SOCKET`."""
        return Path(self.private) / HTTP_SOCKET

    def save(self) -> Path:
        """Write it into its private directory, for its owner alone: the command has the key of the server."""
        path = Path(self.private) / PLAN
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")
        return path


def read_plan(path: Path) -> Plan:
    """What :meth:`Plan.save` wrote."""
    return Plan(**json.loads(path.read_text(encoding="utf-8")))
