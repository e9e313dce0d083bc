"""The key of a server: what only those may use who have it, and how a client shows it."""

from __future__ import annotations

import os

#: What the key is for: some of it runs code that is sent.
ADMIN_INTERFACES = ("model-repository", "shared-memory", "trace", "logging")

#: The header with the key, by HTTP; by gRPC Triton wants a word before it.
ADMIN_HEADER = "recsys-admin-key"

#: Has the key of a server that was not started here.
ADMIN_KEY_VARIABLE = "RECSYS_ADMIN_KEY"


def restrictions(admin_key: str) -> list[str]:
    """The server's arguments that want the key, by HTTP and by gRPC."""
    return [
        f"--{option}={','.join(ADMIN_INTERFACES)}:{ADMIN_HEADER}={admin_key}"
        for option in ("http-restricted-api", "grpc-restricted-protocol")
    ]


def admin_headers(admin_key: str | None = None) -> dict[str, str]:
    """What a gRPC client sends along to a server that wants its key.

    Args:
        admin_key: see :class:`recsys_serving.triton.state.ServerState`; None: that of the environment variable
            :data:`ADMIN_KEY_VARIABLE`, if there is one.
    """
    key = admin_key or os.environ.get(ADMIN_KEY_VARIABLE)
    return {f"triton-grpc-protocol-{ADMIN_HEADER}": key} if key else {}
