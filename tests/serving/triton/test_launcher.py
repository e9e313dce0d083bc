import http.client
import os
import re
import signal
import socket
import stat
import time
from pathlib import Path

import pytest
import tritonclient.grpc as grpc
from grpc import RpcError, insecure_channel
from recsys_serving.triton.launcher import Ports, admin_headers, is_ready, start, stop
from recsys_serving.triton.state import STATE, ServerState, read_state, running_server
from tritonclient.grpc import service_pb2
from tritonclient.grpc.service_pb2_grpc import GRPCInferenceServiceStub
from tritonclient.utils import InferenceServerException

from recsys.errors import ServingError
from tests.serving.triton.tiny_repository import ADD, adding, write_model


@pytest.fixture
def models(tmp_path: Path) -> Path:
    path = tmp_path / "repository"
    write_model(path, "add", ADD, model_onnx=adding())
    return path


def test_a_directory_without_models_is_no_repository(tmp_path: Path):
    with pytest.raises(
        ServingError, match=r"A model repository is required.*Make one with python scripts/export_triton\.py"
    ):
        start(tmp_path / "triton", tmp_path)


def test_ports_are_free_and_different():
    assert len(set(Ports().found())) == 3


def test_a_port_that_is_taken_is_refused():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ServingError, match=r"port \d+ cannot be had"):
            Ports(grpc=other.getsockname()[1]).found()


def test_a_port_that_is_none_is_refused():
    with pytest.raises(ServingError, match="The port 70000 cannot be had"):
        Ports(http=70_000).found()


def test_a_port_for_two_interfaces_is_refused():
    with pytest.raises(ServingError, match=re.escape("Three different ports are required")):
        Ports(http=8000, grpc=8000).found()


def test_nothing_runs_where_nothing_was_started(tmp_path: Path):
    assert running_server(tmp_path) is None
    assert not stop(tmp_path)


@pytest.mark.triton
def test_start_and_stop(tmp_path: Path, models: Path, triton_environment: Path):
    directory, steps = tmp_path / "triton", []
    state = start(directory, models, environment=triton_environment, say=steps.append)
    assert steps == ["environment", "models"]
    assert read_state(directory) == running_server(directory) == state
    assert stat.S_IMODE((directory / STATE).stat().st_mode) == 0o600  # it has the key
    assert is_ready(state)
    with pytest.raises(ServingError, match=rf"A server runs already \(process {state.pid}"):
        start(directory, models, environment=triton_environment)
    assert stop(directory)
    assert not state.is_running and not is_ready(state)
    assert sorted(path.name for path in directory.iterdir()) == ["server.log", "start.lock"]
    assert not list(Path("/dev/shm").glob(f"{Path(state.private).name}*"))


@pytest.mark.triton
def test_what_a_killed_server_left_is_no_obstacle(tmp_path: Path, models: Path, triton_environment: Path):
    killed = start(tmp_path, models, environment=triton_environment)
    os.killpg(os.getpgid(killed.pid), signal.SIGKILL)
    while killed.is_running:
        time.sleep(0.01)
    assert (tmp_path / STATE).is_file() and Path(killed.private).is_dir()
    try:
        state = start(tmp_path, models, environment=triton_environment)
        assert is_ready(state) and not Path(killed.private).exists()
    finally:
        stop(tmp_path)


@pytest.mark.triton
def test_a_model_that_does_not_load_ends_the_start_with_the_reason(
    tmp_path: Path, models: Path, triton_environment: Path
):
    write_model(models, "wrong", ADD.replace("TYPE_INT64", "TYPE_FP32"), model_onnx=adding())
    with pytest.raises(ServingError, match=r"(?s)The server ended before it was ready.*states TYPE_FP32 for the input"):
        start(tmp_path / "triton", models, environment=triton_environment)
    assert running_server(tmp_path / "triton") is None
    assert sorted(path.name for path in (tmp_path / "triton").iterdir()) == ["server.log", "start.lock"]


def test_the_key_of_another_server_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("RECSYS_ADMIN_KEY", raising=False)
    assert admin_headers() == {}
    monkeypatch.setenv("RECSYS_ADMIN_KEY", "theirs")
    assert admin_headers() == {"triton-grpc-protocol-recsys-admin-key": "theirs"}
    assert admin_headers("ours") == {"triton-grpc-protocol-recsys-admin-key": "ours"}


@pytest.mark.triton
def test_only_who_has_the_key_loads_models(server: ServerState):
    assert server.admin_key is not None
    with grpc.InferenceServerClient(server.grpc_url) as client:
        with pytest.raises(InferenceServerException, match="This protocol is restricted"):
            client.load_model("add")
        client.load_model("add", headers=admin_headers(server.admin_key))
    connection = http.client.HTTPConnection(server.http_url, timeout=10)
    connection.request("POST", "/v2/repository/models/add/load", headers={"Connection": "close"})
    assert connection.getresponse().status == http.HTTPStatus.FORBIDDEN
    connection.close()


@pytest.mark.triton
def test_a_shape_that_no_memory_holds_is_refused_by_grpc(server: ServerState):
    request = service_pb2.ModelInferRequest(model_name="add", raw_input_contents=[b"\0" * 8] * 2)
    request.inputs.add(name="number", datatype="INT64", shape=[1, 1])
    request.inputs.add(name="values", datatype="INT64", shape=[1, 2**40])
    with insecure_channel(server.grpc_url) as channel, pytest.raises(RpcError, match="input byte size mismatch"):
        GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=30)
    assert is_ready(server)
