from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as grpc
import tritonclient.http as http
from recsys_serving.triton.repository import served_version
from recsys_serving.triton.state import ServerState
from tritonclient.utils import np_to_triton_dtype

from tests.serving.triton.board_versions import swap, write
from tests.serving.triton.running_server import running_server
from tests.serving.triton.tiny_repository import write_tiny_models


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models of the session's server: those of a bundle, and tiny ones; a test may add more and load them."""
    path = tmp_path_factory.mktemp("triton") / "repository"
    write(path, 1)
    write_tiny_models(path)
    return path


@pytest.fixture(scope="session")
def server(
    triton_environment: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerState]:
    """One server for all tests of the session."""
    with running_server(triton_environment, repository, tmp_path_factory) as state:
        yield state


@pytest.fixture
def version_1(server: ServerState, repository: Path) -> ServerState:
    """The session's server while its first version answers."""
    if served_version(repository) != 1:
        swap(server, repository, 1)
    return server


class Asking:
    """Asks the server by one of its two protocols."""

    def __init__(self, module: Any, url: str) -> None:
        self._module = module
        self.client = module.InferenceServerClient(url)

    def __call__(self, model: str, outputs: list[str], version: str = "", **inputs: Any) -> tuple[Any, ...]:
        """The outputs, and last the version that answered."""
        tensors = []
        for name, value in inputs.items():
            array = np.asarray(value)
            array = array.astype(object) if array.dtype.kind in "US" else array
            tensor = self._module.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
            tensor.set_data_from_numpy(array)
            tensors.append(tensor)
        result = self.client.infer(model, tensors, model_version=version)
        response = result.get_response()
        answered = response["model_version"] if isinstance(response, dict) else response.model_version
        return (*(result.as_numpy(name) for name in outputs), answered)


@pytest.fixture(params=["grpc", "http"])
def asking(server: ServerState, request: pytest.FixtureRequest) -> Iterator[Asking]:
    """A client for each protocol."""
    module, url = (grpc, server.grpc_url) if request.param == "grpc" else (http, server.http_url)
    asking = Asking(module, url)
    yield asking
    asking.client.close()


@pytest.fixture
def client(server: ServerState) -> Iterator[grpc.InferenceServerClient]:
    """A gRPC client, which may be used by several threads."""
    with grpc.InferenceServerClient(server.grpc_url) as client:
        yield client
