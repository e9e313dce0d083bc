"""A port that nobody listens on."""

from __future__ import annotations

import socket

from recsys.errors import ServingError


def free_port(host: str, port: int | None = None) -> int:
    """A port of an address of this machine.

    Args:
        host: the address.
        port: the one that is wanted; None: any that is free.

    Raises:
        ServingError: it is taken, or the machine has no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port or 0))
        except OSError as error:
            raise ServingError(
                f"The port {port or '(a free one)'} of {host} cannot be had: {error.strerror or error}. Choose another "
                "one with port=NUMBER, or none for a free one."
            ) from None
        number: int = listener.getsockname()[1]
        return number
