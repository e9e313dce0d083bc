from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from recsys_serving.triton.dynamic_output import write_with_dynamic_output

INT64 = TensorProto.INT64


def write(path: Path, nodes: list[Any], outputs: dict[str, list[Any]]) -> None:
    """A model of the input ``values``, shape [batch, 3]."""
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("values", INT64, ["batch", 3])],
        [helper.make_tensor_value_info(name, INT64, shape) for name, shape in outputs.items()],
        [helper.make_tensor("axis", INT64, [1], [1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def opened(directory: Path) -> onnxruntime.InferenceSession:
    write_with_dynamic_output(directory / "source.onnx", directory / "target.onnx")
    onnx.checker.check_model(onnx.load(directory / "target.onnx"))
    return onnxruntime.InferenceSession(str(directory / "target.onnx"))


VALUES = np.array([[1, 2, 3], [4, 5, 6]])


@pytest.fixture
def doubling(tmp_path: Path) -> Path:
    """``doubled = 2 * values``, whose size is stated."""
    write(tmp_path / "source.onnx", [helper.make_node("Add", ["values"] * 2, ["doubled"])], {"doubled": ["batch", 3]})
    return tmp_path


def test_a_stated_size_becomes_one_that_may_vary(doubling: Path):
    (output,) = opened(doubling).get_outputs()
    assert (output.name, output.shape) == ("doubled", ["batch", "any_doubled_1"])


def test_an_open_size_changes_no_number(doubling: Path):
    (doubled,) = opened(doubling).run(["doubled"], {"values": VALUES})
    assert doubled.tolist() == [[2, 4, 6], [8, 10, 12]]


def test_a_size_of_one_is_open_as_well(tmp_path: Path):
    sums = helper.make_node("ReduceSum", ["values", "axis"], ["sums"], keepdims=1)
    write(tmp_path / "source.onnx", [sums], {"sums": ["batch", 1]})
    session = opened(tmp_path)
    assert session.get_outputs()[0].shape == ["batch", "any_sums_1"]
    assert session.run(["sums"], {"values": VALUES})[0].tolist() == [[6], [15]]


def test_several_sizes_of_one_output_are_open(tmp_path: Path):
    more = helper.make_node("Unsqueeze", ["values", "axis"], ["rows"])
    write(tmp_path / "source.onnx", [more], {"rows": ["batch", 1, 3]})
    session = opened(tmp_path)
    assert session.get_outputs()[0].shape == ["batch", "any_rows_1", "any_rows_2"]
    assert session.run(["rows"], {"values": VALUES})[0].tolist() == [[[1, 2, 3]], [[4, 5, 6]]]


def test_an_output_that_another_node_reads_as_well_is_still_read(tmp_path: Path):
    nodes = [
        helper.make_node("Add", ["values", "values"], ["doubled"]),
        helper.make_node("Add", ["doubled", "values"], ["tripled"]),
    ]
    write(tmp_path / "source.onnx", nodes, {"doubled": ["batch", 3], "tripled": ["batch", 3]})
    session = opened(tmp_path)
    assert [output.name for output in session.get_outputs()] == ["doubled", "tripled"]
    doubled, tripled = session.run(["doubled", "tripled"], {"values": VALUES[:1]})
    assert (doubled.tolist(), tripled.tolist()) == ([[2, 4, 6]], [[3, 6, 9]])


def test_the_batch_and_sizes_that_vary_already_stay_as_they_are(tmp_path: Path):
    same = helper.make_node("Identity", ["values"], ["same"])
    write(tmp_path / "source.onnx", [same], {"same": [2, "length"]})
    write_with_dynamic_output(tmp_path / "source.onnx", tmp_path / "target.onnx")
    assert onnx.load(tmp_path / "target.onnx") == onnx.load(tmp_path / "source.onnx")


def test_the_source_stays_as_it_is(doubling: Path):
    before = (doubling / "source.onnx").read_bytes()
    opened(doubling)
    assert (doubling / "source.onnx").read_bytes() == before
