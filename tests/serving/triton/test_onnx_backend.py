import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tritonclient.grpc as grpc
from recsys_serving.triton.launcher import admin_headers
from recsys_serving.triton.state import ServerState
from tritonclient.utils import InferenceServerException

from tests.serving.triton.conftest import Asking
from tests.serving.triton.tiny_repository import ADD, adding, write_model

pytestmark = pytest.mark.triton


def test_the_answer_is_that_of_the_model(asking: Asking):
    sums, version = asking("add", ["sums"], number=[[10], [20]], values=[[1, 2, 3], [4, 5, 6]])
    assert sums.tolist() == [[11, 12, 13], [24, 25, 26]]
    assert version == "1"


def test_an_ensemble_passes_tensors_on(asking: Asking):
    sums, _ = asking("both", ["sums"], number=[[10]], values=[[1, 2, 3]])
    assert sums.tolist() == [[12, 14, 16]]


def test_texts_come_back_as_they_were(asking: Asking):
    same, _ = asking("texts", ["same"], texts=["", "Amélie", "007"])
    assert [text.decode() for text in same] == ["", "Amélie", "007"]


def test_texts_that_are_no_utf_8_are_an_error(client: grpc.InferenceServerClient):
    tensor = grpc.InferInput("texts", [1], "BYTES")
    tensor.set_data_from_numpy(np.array([b"\xff"], dtype=object))
    with pytest.raises(InferenceServerException, match="must be UTF-8, and are not"):
        client.infer("texts", [tensor])


def test_requests_of_equal_shapes_are_answered_together_and_each_gets_its_own(
    server, client: grpc.InferenceServerClient
):
    before = executions(client)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, client, number, 1 + number % 2) for number in range(64)]
    assert all((answer.result() == np.arange(1 + number % 2) + number).all() for number, answer in enumerate(asked))
    assert executions(client) - before < 64


def test_a_batch_above_the_limit_is_refused(asking: Asking):
    with pytest.raises(InferenceServerException, match="must be <= 8"):
        asking("add", ["sums"], number=np.zeros((9, 1), np.int64), values=np.zeros((9, 2), np.int64))


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


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        (
            "wrong_name",
            ADD.replace('"values"', '"numbers"'),
            "states the inputs number, numbers, but its ONNX model has",
        ),
        ("wrong_output", ADD.replace('"sums"', '"totals"'), "states the outputs totals, but its ONNX model has sums"),
        (
            "wrong_type",
            ADD.replace("TYPE_INT64 dims: [-1] }\n]", "TYPE_FP32 dims: [-1] }\n]"),
            "states TYPE_FP32 for the",
        ),
        ("wrong_shape", ADD.replace("dims: [-1] }\n]", "dims: [-1, 4] }\n]"), "states the shape [-1, -1, 4] for the"),
        ("not_reshaped", ADD.replace("reshape { shape: [] }", ""), "states the shape [-1, 1] for the input number"),
        ("optional", ADD.replace("dims: [-1] }\n]", "dims: [-1] optional: true }\n]"), "optional of the input values"),
        (
            "threads",
            ADD + 'parameters { key: "intra_op_thread_count" value { string_value: "many" } }',
            "must be whole numbers, but they are many and 1",
        ),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(
    server: ServerState, repository: Path, client: grpc.InferenceServerClient, name, config, message
):
    write_model(repository, name, config, model_onnx=adding())
    with pytest.raises(InferenceServerException, match=re.escape(message)):
        client.load_model(name, headers=admin_headers(server.admin_key))


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
