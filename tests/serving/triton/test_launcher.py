import http.client
import json
import os
import signal
import socket
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import tritonclient.grpc as grpc
from grpc import RpcError, insecure_channel
from recsys_serving.triton.admin_key import admin_headers
from recsys_serving.triton.guard.health import Health, read_health
from recsys_serving.triton.guard.plan import HTTP_SOCKET
from recsys_serving.triton.guard.stubs import stubs_of
from recsys_serving.triton.launcher import Options, is_ready, start, stop
from recsys_serving.triton.state import STATE, ServerState, read_state, running_server
from tritonclient.grpc import service_pb2
from tritonclient.grpc.service_pb2_grpc import GRPCInferenceServiceStub
from tritonclient.utils import InferenceServerException

from recsys.errors import ServingError
from tests.serving.triton.tiny_repository import ADD, DOUBLE, DOUBLE_CODE, adding, write_model


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


def listens(address: str, port: int) -> bool:
    with socket.socket() as connection:
        connection.settimeout(5)
        return connection.connect_ex((address, port)) == 0


@pytest.mark.triton
def test_http_may_be_open_to_others_while_grpc_is_not(tmp_path: Path, models: Path, triton_environment: Path):
    state = start(tmp_path, models, environment=triton_environment, options=Options(address="0.0.0.0"))
    try:
        assert listens("127.0.0.1", state.http_port) and listens("127.0.0.1", state.grpc_port)
        # Another address of this machine stands for that by which others reach it.
        assert listens("127.0.0.2", state.http_port) and not listens("127.0.0.2", state.grpc_port)
        assert is_ready(state)
    finally:
        stop(tmp_path)


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


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def health_of(directory: Path) -> Health:
    health = read_health(directory)
    assert health is not None
    return health


def doubled(state: ServerState, shape: list[int]) -> tuple[int, dict[str, Any]]:
    tensor = {"name": "values", "shape": shape, "datatype": "INT64", "data": [3]}
    connection = http.client.HTTPConnection(state.http_url, timeout=30)
    connection.request("POST", "/v2/models/double/infer", json.dumps({"inputs": [tensor]}))
    answer = connection.getresponse()
    content = answer.status, json.loads(answer.read())
    connection.close()
    return content


def sent_past_the_gate(body: bytes) -> None:
    """To the server itself, in whose directory this process is, as only its owner can be."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(HTTP_SOCKET)
        head = f"POST /v2/models/double/infer HTTP/1.1\r\nHost: here\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        with suppress(OSError):
            connection.recv(1)


@pytest.mark.triton
def test_a_server_that_is_broken_is_started_again(
    tmp_path: Path, models: Path, triton_environment: Path, monkeypatch: pytest.MonkeyPatch
):
    write_model(models, "double", DOUBLE, model_py=DOUBLE_CODE)
    state = start(tmp_path, models, environment=triton_environment, options=Options(memory_bytes=2**32))
    try:
        # 17 GB for a request of 90 bytes: the gate refuses it, and where it came through the bound ends the server.
        status, answer = doubled(state, [1, 2**31])
        assert status == 400 and "2,147,483,648 values by its shape" in answer["error"]
        assert is_ready(state) and doubled(state, [1, 1])[1]["outputs"][0]["data"] == [6]
        tensor = {"name": "values", "shape": [1, 2**31], "datatype": "INT64", "data": [3]}
        monkeypatch.chdir(state.private)
        sent_past_the_gate(json.dumps({"inputs": [tensor]}).encode())
        wait_until(lambda: health_of(tmp_path).restarts == 1)
        assert health_of(tmp_path).reason == "ended by SIGABRT"
        wait_until(lambda: is_ready(state))
        assert doubled(state, [1, 1])[1]["outputs"][0]["data"] == [6]

        # A model whose process is gone, and a server that says of it that it is ready.
        server = health_of(tmp_path).pid
        (stub,) = (pid for pid, version in stubs_of(server).items() if version == models / "double" / "1")
        os.kill(stub, signal.SIGKILL)
        wait_until(lambda: not is_ready(state))
        wait_until(lambda: health_of(tmp_path).restarts == 2)
        assert health_of(tmp_path).reason == "has lost a process of the model double, version 1"
        wait_until(lambda: is_ready(state))
        assert doubled(state, [1, 1])[1]["outputs"][0]["data"] == [6]
        assert health_of(tmp_path).pid != server and running_server(tmp_path) == state
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
