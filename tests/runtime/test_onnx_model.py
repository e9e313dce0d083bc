from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from recsys.errors import BundleError
from recsys.runtime.execution_providers import CPU, CUDA
from recsys.runtime.onnx_model import OnnxModel


@pytest.fixture
def doubling(tmp_path):
    """A model that doubles its input."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch"])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch"])
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "doubling", [x], [y])
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_it_runs_and_says_what_it_takes(doubling):
    model = OnnxModel(doubling)
    assert model.run({"x": np.array([1, 2.5], dtype=np.float32), "more": np.zeros(1)}).tolist() == [2, 5]
    assert model.described_inputs == {"x": {"type": "tensor(float)", "shape": ["batch"]}}
    assert list(model.described_output) == ["y"]


def test_the_processor_can_be_chosen(doubling):
    assert OnnxModel(doubling, providers=[CPU]).providers == (CPU,)


def test_a_provider_that_is_not_there_is_an_error(doubling, monkeypatch):
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: [CPU])
    with pytest.raises(BundleError, match=f"{CUDA} is required, but ONNX Runtime offers only {CPU}"):
        OnnxModel(doubling, providers=[CUDA])
    assert OnnxModel(doubling).providers == (CPU,)


def test_inputs_must_fit(doubling):
    model = OnnxModel(doubling)
    with pytest.raises(BundleError, match=r"model.onnx needs the inputs x, but x is missing"):
        model.run({})
    with pytest.raises(BundleError, match=r"The input x of model.onnx must be float32, but it is int64"):
        model.run({"x": np.array([1])})


def test_another_file_is_refused(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"nothing of ONNX")
    with pytest.raises(BundleError, match="is no model that ONNX Runtime reads"):
        OnnxModel(tmp_path / "model.onnx")
