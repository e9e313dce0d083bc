"""Makes the sizes of an ONNX model's outputs ones that may vary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper


def write_with_dynamic_output(source: Path, target: Path) -> None:
    """Copy an ONNX model, whose outputs then have no fixed sizes but that of the batch.

    Versions of a model on a server share one configuration, but the number of items or dimensions differs between
    them. A size is hidden behind a slice up to an end that is only known when the model runs, which copies the output
    once.

    Args:
        source: the model.
        target: where the copy goes.
    """
    model = onnx.load(source)
    for output in model.graph.output:
        sizes = output.type.tensor_type.shape.dim
        fixed = [axis for axis in range(1, len(sizes)) if sizes[axis].HasField("dim_value")]
        if fixed:
            _open(model.graph, output.name, fixed)
        for axis in fixed:
            sizes[axis].Clear()
            sizes[axis].dim_param = f"any_{output.name}_{axis}"
    onnx.save(model, target)


def _open(graph: Any, output: str, axes: list[int]) -> None:
    """Slice an output along some axes, from the first to the last of its values."""
    inner = f"{output}_of_version"
    for node in graph.node:
        node.output[:] = [inner if name == output else name for name in node.output]
        node.input[:] = [inner if name == output else name for name in node.input]
    starts, along, count, ends, shape = (
        f"{inner}_{name}" for name in ("starts", "axes", "count", "ends", "number_of_axes")
    )
    graph.initializer.extend(
        [
            helper.make_tensor(starts, TensorProto.INT64, [len(axes)], [0] * len(axes)),
            helper.make_tensor(along, TensorProto.INT64, [len(axes)], axes),
            helper.make_tensor(shape, TensorProto.INT64, [1], [len(axes)]),
        ]
    )
    graph.node.extend(
        [
            helper.make_node("Size", [inner], [count]),
            helper.make_node("Expand", [count, shape], [ends]),
            helper.make_node("Slice", [inner, starts, ends, along], [output]),
        ]
    )
