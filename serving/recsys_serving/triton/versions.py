"""Exchanges the version that answers on a Triton server, while requests go on being answered."""

from __future__ import annotations

from pathlib import Path

from recsys.errors import ServingError
from recsys_serving.triton.admin_key import admin_headers
from recsys_serving.triton.client import client_module, server_errors
from recsys_serving.triton.repository import ENSEMBLES, require_version, serve_version, served_version, stage_version
from recsys_serving.triton.served_items import carry_values


def swap_version(
    repository: Path, version: int, grpc_url: str, timeout_seconds: float = 120.0, admin_key: str | None = None
) -> None:
    """Let a version of the repository answer; rolling back is the same with an older one.

    The models of the version are loaded first, beside those that answer. Only when all are, the ensembles that name the
    version are exchanged, so that every request is answered by one version. A version that cannot be loaded changes
    nothing. Values that items were given since (:func:`recsys_serving.triton.served_items.update_items`) go with them.

    Args:
        repository: that the server reads, under explicit model control.
        version: one of the repository.
        grpc_url: host and port of the server's gRPC interface.
        timeout_seconds: how long each model may take.
        admin_key: of the server, see :func:`recsys_serving.triton.admin_key.admin_headers`.

    Raises:
        ExportError: there is no such version.
        ServingError: the server cannot be reached, or cannot load a model.
    """
    before, headers = served_version(repository), admin_headers(admin_key)
    require_version(repository, version)
    carry_values(repository, before, version)
    steps = stage_version(repository, version)
    with client_module("grpc").InferenceServerClient(grpc_url) as client:
        try:
            with server_errors(grpc_url):
                for name in steps:
                    client.load_model(name, headers=headers, client_timeout=timeout_seconds)
        except ServingError as error:
            stage_version(repository, before)
            raise ServingError(
                f"Version {version} of {repository} cannot be loaded, so version {before} goes on answering. {error}"
            ) from error
        serve_version(repository, version)
        with server_errors(grpc_url):
            for name in ENSEMBLES:
                client.load_model(name, headers=headers, client_timeout=timeout_seconds)
