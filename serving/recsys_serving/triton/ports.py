"""The ports of a server on this machine."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from recsys.errors import ServingError

ADDRESS = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the server listens; None: wherever it is free."""

    http: int | None = None
    grpc: int | None = None
    metrics: int | None = None

    def found(self, address: str = ADDRESS, grpc_address: str = ADDRESS) -> tuple[int, int, int]:
        """The three ports, free ones where none is told.

        Args:
            address: of this machine, where HTTP and the metrics listen.
            grpc_address: where gRPC listens.

        Raises:
            ServingError: one that is told is taken, or told twice, or the machine has no such address.
        """
        told = [port for port in (self.http, self.grpc, self.metrics) if port is not None]
        if len(set(told)) < len(told):
            raise ServingError(f"Three different ports are required for HTTP, gRPC and metrics, but {told} came.")
        sockets = []
        try:
            places = ((self.http, address), (self.grpc, grpc_address), (self.metrics, address))
            for port, host in places:
                listener = socket.socket()
                sockets.append(listener)
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    listener.bind((host, port or 0))
                except (OSError, OverflowError) as error:
                    raise ServingError(
                        f"The port {port} of {host} cannot be had ({error}). Choose another one, or none for a "
                        "free one."
                    ) from None
            http_port, grpc_port, metrics_port = (listener.getsockname()[1] for listener in sockets)
        finally:
            for listener in sockets:
                listener.close()
        return http_port, grpc_port, metrics_port


def is_reached_by_others(address: str) -> bool:
    """Whether an address is one at which other machines may reach this one; a name that is no number may be."""
    try:
        return not ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address != "localhost"
