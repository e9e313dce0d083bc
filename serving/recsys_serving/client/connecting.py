"""Finds the service of an installation, and its first key."""

from __future__ import annotations

from pathlib import Path

from recsys.errors import ServingError
from recsys_serving.client.service_client import ServiceClient
from recsys_serving.local.installation import Installation
from recsys_serving.local.service_state import read_service_state


def connect(var: Path, url: str | None = None, key: str | None = None) -> ServiceClient:
    """A client of the service of an installation, or of another one.

    Args:
        var: directory of the installation, as ``scripts/serve.py`` leaves it.
        url: of another service; None: that of the installation.
        key: an API key; None: the first one of the installation.

    Raises:
        ServingError: no service runs there, or there is no key.
    """
    installation = Installation(var.absolute())
    if url is None:
        state = read_service_state(installation.directory)
        if state is None or not state.is_running:
            raise ServingError(f"No service runs in {installation.directory}. Start it with make serve, or give url=.")
        url = state.url
    if key is None:
        try:
            key = installation.api_key.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ServingError(f"There is no key in {installation.api_key}. Give key=.") from error
    return ServiceClient.connect(url, key)
