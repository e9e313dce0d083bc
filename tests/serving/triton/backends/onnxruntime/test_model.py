"""The backend in this process, with stand-ins for Triton and, where providers are chosen, ONNX Runtime; on a server."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
import recsys_serving.triton
import tritonclient.grpc as grpc
from google.protobuf import json_format, text_format
from onnx import TensorProto, helper
from recsys_serving.triton.admin_key import admin_headers
from recsys_serving.triton.state import ServerState
from tritonclient.grpc import model_config_pb2
from tritonclient.utils import InferenceServerException

from tests.serving.triton.conftest import Asking
from tests.serving.triton.tiny_repository import ADD, TEXTS, adding, same_texts, write_model

BACKEND = Path(str(recsys_serving.triton.__file__)).parent / "backends/onnxruntime/model.py"
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


class Refused(Exception):
    """Stands in for the exception of Triton."""


class Tensor:
    """A tensor of Triton, in a request or an answer."""

    def __init__(self, name: str, values: Any) -> None:
        self.name, self._values = name, values

    def as_numpy(self) -> Any:
        return self._values


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, loaded as Triton loads it."""
    stand_in = SimpleNamespace(
        TritonModelException=Refused,
        TritonError=str,
        Tensor=Tensor,
        get_input_tensor_by_name=lambda request, name: Tensor(name, request[name]),
        InferenceResponse=lambda output_tensors=(), error=None: SimpleNamespace(
            tensors={one.name: one.as_numpy() for one in output_tensors}, error=error
        ),
    )
    monkeypatch.setitem(sys.modules, "triton_python_backend_utils", stand_in)
    return loaded_backend()


def loaded_backend() -> Any:
    spec = importlib.util.spec_from_file_location("onnx_backend", BACKEND)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def opened(backend: Any, tmp_path: Path) -> Callable[..., Any]:
    """Opens a model with a configuration, and counts how often ONNX Runtime runs it."""

    def make(config: str, model: bytes) -> Any:
        write_model(tmp_path, "tiny", config, model_onnx=model)
        text = (tmp_path / "tiny" / "config.pbtxt").read_text(encoding="utf-8")
        parsed = text_format.Parse(text, model_config_pb2.ModelConfig())
        as_json = json_format.MessageToJson(
            parsed, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
        instance = backend.TritonPythonModel()
        instance.initialize(
            {
                "model_config": as_json,
                "model_repository": str(tmp_path / "tiny"),
                "model_version": "1",
                "model_instance_kind": "CPU",
            }
        )
        run, instance.num_runs = instance._run, 0

        def counted(arrays: dict[str, Any]) -> Any:
            instance.num_runs += 1
            return run(arrays)

        instance._run = counted
        return instance

    return make


def to_add(number: list[int], values: list[list[int]]) -> dict[str, Any]:
    return {"number": np.array(number), "values": np.array(values)}


def sums(answers: list[Any]) -> list[Any]:
    assert not any(answer.error for answer in answers)
    return [answer.tensors["sums"].tolist() for answer in answers]


def test_requests_of_equal_shapes_run_together_and_others_by_themselves(opened: Callable[..., Any]):
    model = opened(ADD, adding())
    answers = model.execute(
        [to_add([10], [[1, 2]]), to_add([20], [[1]]), to_add([30, 40], [[1, 2], [3, 4]]), to_add([50], [[2]])]
    )
    # 10 + 1, 10 + 2; 20 + 1; 30 + 1, 30 + 2 and 40 + 3, 40 + 4; 50 + 2
    assert sums(answers) == [[[11, 12]], [[21]], [[31, 32], [43, 44]], [[52]]]
    assert model.num_runs == 2  # of two values, and of one


def test_without_batching_every_request_runs_by_itself(opened: Callable[..., Any]):
    model = opened(TEXTS, same_texts())
    answers = model.execute([{"texts": np.array([text.encode()], dtype=object)} for text in ("é", "")])
    assert [answer.tensors["same"].tolist() for answer in answers] == [["é"], [""]]
    assert model.num_runs == 2


def test_a_request_that_cannot_be_run_takes_no_other_one_down(opened: Callable[..., Any]):
    model = opened(ADD, adding())
    # Rows of values without a number each: together they fit no better than alone.
    wrong = {"number": np.array([1, 2, 3]), "values": np.array([[1], [2]])}
    first, failed, last = model.execute([to_add([10], [[1]]), wrong, to_add([20], [[2]])])
    assert sums([first, last]) == [[[11]], [[22]]]
    assert failed.error.startswith("The model tiny cannot be run with inputs of the shapes number [3], values [2, 1]:")


def test_a_text_that_is_no_utf_8_spoils_its_own_request_alone(opened: Callable[..., Any]):
    model = opened(TEXTS, same_texts())
    wrong, right = model.execute([{"texts": np.array([text], dtype=object)} for text in (b"\xff", b"a")])
    assert "must be UTF-8, and are not" in wrong.error
    assert right.tensors["same"].tolist() == ["a"]


def test_an_output_of_the_model_that_is_not_stated_is_not_sent(opened: Callable[..., Any]):
    model = onnx.load_from_string(adding(5))
    model.graph.output.append(helper.make_tensor_value_info("more", TensorProto.INT64, ["batch", 1]))
    (answer,) = opened(ADD, model.SerializeToString()).execute([to_add([10], [[1]])])
    assert {name: values.tolist() for name, values in answer.tensors.items()} == {"sums": [[16]]}  # 10 + 1 + 5


def test_a_damaged_model_is_told_with_its_file(opened: Callable[..., Any]):
    with pytest.raises(Refused, match=r"tiny/1/model\.onnx cannot be opened"):
        opened(ADD, adding()[:40])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            ADD.replace('"values"', '"numbers"'),
            "states the inputs number, numbers, but its ONNX model has",
        ),
        (ADD.replace('"sums"', '"totals"'), "states the outputs totals, but its ONNX model has sums"),
        (
            ADD.replace("TYPE_INT64 dims: [-1] }\n]", "TYPE_FP32 dims: [-1] }\n]"),
            "states TYPE_FP32 for the",
        ),
        (ADD.replace("dims: [-1] }\n]", "dims: [-1, 4] }\n]"), "states the shape [-1, -1, 4] for the"),
        (ADD.replace("reshape { shape: [] }", ""), "states the shape [-1, 1] for the input number"),
        (ADD.replace("dims: [-1] }\n]", "dims: [-1] optional: true }\n]"), "optional of the input values"),
        (
            ADD + 'parameters { key: "intra_op_thread_count" value { string_value: "many" } }',
            "must be whole numbers, but they are many and 1",
        ),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(opened: Callable[..., Any], config: str, message: str):
    with pytest.raises(Refused, match=re.escape(message)):
        opened(config, adding())


@pytest.fixture
def load(monkeypatch, tmp_path):
    """Loads a model whose configuration states a kind, where ONNX Runtime offers some providers."""

    def make(stated, resolved, available, working=None):
        asked = []

        def session(path, options, providers):
            asked.extend(providers)
            names = [name if isinstance(name, str) else name[0] for name in providers]
            used = [name for name in names if name in (working or available)]
            return SimpleNamespace(get_inputs=lambda: [], get_outputs=lambda: [], get_providers=lambda: used)

        runtime = SimpleNamespace(
            SessionOptions=SimpleNamespace, InferenceSession=session, get_available_providers=lambda: list(available)
        )
        monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
        monkeypatch.setitem(sys.modules, "triton_python_backend_utils", SimpleNamespace(TritonModelException=Refused))
        backend = loaded_backend()
        (tmp_path / "config.pbtxt").write_text(f"instance_group {{ count: 1 kind: {stated} }}", encoding="utf-8")
        backend.TritonPythonModel().initialize(
            {
                "model_config": json.dumps({"name": "encoder", "input": [], "output": []}),
                "model_repository": str(tmp_path),
                "model_version": "1",
                "model_instance_kind": resolved,
                "model_instance_device_id": "3",
            }
        )
        return asked

    return make


ON_GPU_3 = [(CUDA, {"device_id": "3"}), CPU]


@pytest.mark.parametrize(
    ("stated", "resolved", "available", "asked"),
    [
        ("KIND_CPU", "CPU", [CUDA, CPU], [CPU]),
        ("KIND_GPU", "GPU", [CUDA, CPU], ON_GPU_3),
        ("KIND_AUTO", "GPU", [CUDA, CPU], ON_GPU_3),
        ("KIND_AUTO", "GPU", [CPU], [CPU]),
        ("KIND_AUTO", "CPU", [CPU], [CPU]),
        ("KIND_AUTO", "AUTO", [CPU], [CPU]),
    ],
)
def test_the_kind_of_the_instance_decides(load, stated, resolved, available, asked):
    assert load(stated, resolved, available) == asked


def test_a_gpu_that_is_asked_for_and_not_offered_is_an_error(load):
    with pytest.raises(
        Refused, match=f"encoder is to run on a GPU .KIND_GPU., but ONNX Runtime offers only {CPU} here"
    ):
        load("KIND_GPU", "GPU", [CPU])


def test_a_gpu_that_is_asked_for_and_does_not_work_is_an_error(load):
    with pytest.raises(Refused, match="ONNX Runtime cannot use CUDA here"):
        load("KIND_GPU", "GPU", [CUDA, CPU], working=[CPU])


def test_a_gpu_that_does_not_work_is_left_aside_where_it_is_not_asked_for(load):
    assert load("KIND_AUTO", "GPU", [CUDA, CPU], working=[CPU]) == ON_GPU_3


@pytest.mark.triton
def test_the_answer_is_that_of_the_model(asking: Asking):
    sums, version = asking("add", ["sums"], number=[[10], [20]], values=[[1, 2, 3], [4, 5, 6]])
    assert sums.tolist() == [[11, 12, 13], [24, 25, 26]]
    assert version == "1"


@pytest.mark.triton
def test_an_ensemble_passes_tensors_on(asking: Asking):
    sums, _ = asking("both", ["sums"], number=[[10]], values=[[1, 2, 3]])
    assert sums.tolist() == [[12, 14, 16]]


@pytest.mark.triton
def test_texts_come_back_as_they_were(asking: Asking):
    same, _ = asking("texts", ["same"], texts=["", "Amélie", "007"])
    assert [text.decode() for text in same] == ["", "Amélie", "007"]


@pytest.mark.triton
def test_texts_that_are_no_utf_8_are_an_error(client: grpc.InferenceServerClient):
    tensor = grpc.InferInput("texts", [1], "BYTES")
    tensor.set_data_from_numpy(np.array([b"\xff"], dtype=object))
    with pytest.raises(InferenceServerException, match="must be UTF-8, and are not"):
        client.infer("texts", [tensor])


@pytest.mark.triton
def test_requests_of_equal_shapes_are_answered_together_and_each_gets_its_own(
    server, client: grpc.InferenceServerClient
):
    before = executions(client)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, client, number, 1 + number % 2) for number in range(64)]
    assert all((answer.result() == np.arange(1 + number % 2) + number).all() for number, answer in enumerate(asked))
    assert executions(client) - before < 64


@pytest.mark.triton
def test_a_batch_above_the_limit_is_refused(asking: Asking):
    with pytest.raises(InferenceServerException, match="must be <= 8"):
        asking("add", ["sums"], number=np.zeros((9, 1), np.int64), values=np.zeros((9, 2), np.int64))


@pytest.mark.triton
@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"number": [[1]]}, "expected 2 inputs but got 1"),
        ({"number": [[1]], "values": [[1]], "more": [[1]]}, "expected 2 inputs but got 3"),
        ({"number": [[1.0]], "values": [[1]]}, "data-type is 'FP64', but model 'add' expects 'INT64'"),
        ({"number": [[1]], "values": [1]}, "unexpected shape for input 'values'"),
        ({"number": [[1]], "values": [[[1]]]}, "unexpected shape for input 'values'"),
        ({"number": [[1]], "values": [["a"]]}, "data-type is 'BYTES', but model 'add' expects 'INT64'"),
    ],
)
def test_bad_input_is_an_error_and_the_server_lives_on(asking: Asking, inputs, message):
    with pytest.raises(InferenceServerException, match=re.escape(message)):
        asking("add", ["sums"], **inputs)
    assert asking("add", ["sums"], number=[[1]], values=[[1]])[0].tolist() == [[2]]


@pytest.mark.triton
def test_a_configuration_that_does_not_fit_is_refused_on_a_server(
    server: ServerState, repository: Path, client: grpc.InferenceServerClient
):
    write_model(repository, "wrong_name", ADD.replace('"values"', '"numbers"'), model_onnx=adding())
    with pytest.raises(InferenceServerException, match="states the inputs number, numbers, but its ONNX model has"):
        client.load_model("wrong_name", headers=admin_headers(server.admin_key))


@pytest.mark.triton
def test_a_damaged_model_is_refused(server: ServerState, repository: Path, client: grpc.InferenceServerClient):
    write_model(repository, "damaged", ADD, model_onnx=adding()[:40])
    with pytest.raises(InferenceServerException, match=r"damaged/1/model\.onnx cannot be opened"):
        client.load_model("damaged", headers=admin_headers(server.admin_key))


def ask(client: grpc.InferenceServerClient, number: int, length: int):
    numbers = grpc.InferInput("number", [1, 1], "INT64")
    numbers.set_data_from_numpy(np.array([[number]]))
    values = grpc.InferInput("values", [1, length], "INT64")
    values.set_data_from_numpy(np.arange(length)[None])
    return client.infer("add", [numbers, values]).as_numpy("sums")[0]


def executions(client: grpc.InferenceServerClient) -> int:
    return int(client.get_inference_statistics("add").model_stats[0].execution_count)
