"""Makes the last size of an ONNX model's output one that may vary."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper


def write_with_open_size(source: Path, target: Path) -> None:
    """Copy an ONNX model with one output, whose shape then is [batch, any].

    Versions of a model on a server share one configuration, but the number of items or dimensions differs between
    them. The size is hidden behind a slice up to an end that is only known when the model runs, which copies the output
    once.

    Args:
        source: the model.
        target: where the copy goes.
    """
    model = onnx.load(source)
    (output,) = model.graph.output
    inner = f"{output.name}_of_version"
    for node in model.graph.node:
        node.output[:] = [inner if name == output.name else name for name in node.output]
        node.input[:] = [inner if name == output.name else name for name in node.input]
    names = {name: f"{inner}_{name}" for name in ("start", "axis", "count", "end")}
    model.graph.initializer.extend(
        [
            helper.make_tensor(names["start"], TensorProto.INT64, [1], [0]),
            helper.make_tensor(names["axis"], TensorProto.INT64, [1], [1]),
        ]
    )
    model.graph.node.extend(
        [
            helper.make_node("Size", [inner], [names["count"]]),
            helper.make_node("Reshape", [names["count"], names["axis"]], [names["end"]]),
            helper.make_node("Slice", [inner, names["start"], names["end"], names["axis"]], [output.name]),
        ]
    )
    size = output.type.tensor_type.shape.dim[1]
    size.Clear()
    size.dim_param = "any"
    onnx.save(model, target)
