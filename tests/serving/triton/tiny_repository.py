"""Small models for a Triton server: ONNX models that add and texts that pass through, a Python model, an ensemble."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper

ADD = """
backend: "onnxruntime"
max_batch_size: 8
input [
  { name: "number" data_type: TYPE_INT64 dims: [1] reshape { shape: [] } },
  { name: "values" data_type: TYPE_INT64 dims: [-1] }
]
output [ { name: "sums" data_type: TYPE_INT64 dims: [-1] } ]
dynamic_batching { max_queue_delay_microseconds: 20000 }
"""

DOUBLE = """
backend: "python"
max_batch_size: 8
input [ { name: "values" data_type: TYPE_INT64 dims: [-1] } ]
output [ { name: "doubled" data_type: TYPE_INT64 dims: [-1] } ]
"""

BOTH = """
platform: "ensemble"
max_batch_size: 8
input [
  { name: "number" data_type: TYPE_INT64 dims: [1] },
  { name: "values" data_type: TYPE_INT64 dims: [-1] }
]
output [ { name: "sums" data_type: TYPE_INT64 dims: [-1] } ]
ensemble_scheduling {
  step {
    model_name: "double" model_version: -1
    input_map { key: "values" value: "values" }
    output_map { key: "doubled" value: "doubled" }
  }
  step {
    model_name: "add" model_version: -1
    input_map { key: "number" value: "number" }
    input_map { key: "values" value: "doubled" }
    output_map { key: "sums" value: "sums" }
  }
}
"""

TEXTS = """
backend: "onnxruntime"
max_batch_size: 0
input [ { name: "texts" data_type: TYPE_STRING dims: [-1] } ]
output [ { name: "same" data_type: TYPE_STRING dims: [-1] } ]
"""

DOUBLE_CODE = """
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        values = [pb_utils.get_input_tensor_by_name(request, "values").as_numpy() for request in requests]
        return [pb_utils.InferenceResponse([pb_utils.Tensor("doubled", 2 * one)]) for one in values]
"""


def write_model(repository: Path, name: str, config: str, version: int = 1, **files: bytes | str) -> None:
    """A model with one version; files by their names, with ``_`` for the dot."""
    directory = repository / name / str(version)
    directory.mkdir(parents=True)
    (repository / name / "config.pbtxt").write_text(f'name: "{name}"\n{config}', encoding="utf-8")
    for file, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        (directory / file.replace("_", ".")).write_bytes(data)


def adding(amount: int = 0) -> bytes:
    """``sums = values + number + amount``, with one number for each row."""
    nodes = [
        helper.make_node("Unsqueeze", ["number", "last"], ["column"]),
        helper.make_node("Add", ["column", "amount"], ["more"]),
        helper.make_node("Add", ["values", "more"], ["sums"]),
    ]
    constants = [
        helper.make_tensor("last", TensorProto.INT64, [1], [1]),
        helper.make_tensor("amount", TensorProto.INT64, [1], [amount]),
    ]
    graph = helper.make_graph(
        nodes,
        "adding",
        [_integers("number", ["batch"]), _integers("values", ["batch", "length"])],
        [_integers("sums", ["batch", "length"])],
        constants,
    )
    return _serialised(graph)


def same_texts() -> bytes:
    """``same = texts``."""
    graph = helper.make_graph(
        [helper.make_node("Identity", ["texts"], ["same"])],
        "same",
        [helper.make_tensor_value_info("texts", TensorProto.STRING, ["length"])],
        [helper.make_tensor_value_info("same", TensorProto.STRING, ["length"])],
    )
    return _serialised(graph)


def write_tiny_models(repository: Path) -> None:
    """Four models: ``add``, ``double``, ``both`` and ``texts``."""
    write_model(repository, "add", ADD, model_onnx=adding())
    write_model(repository, "double", DOUBLE, model_py=DOUBLE_CODE)
    write_model(repository, "both", BOTH)
    write_model(repository, "texts", TEXTS, model_onnx=same_texts())


def _integers(name: str, shape: list[str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.INT64, shape)


def _serialised(graph: onnx.GraphProto) -> bytes:
    # The server's ONNX Runtime is older than the one that makes the model.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    return model.SerializeToString()
