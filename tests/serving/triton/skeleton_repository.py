"""A Triton repository as an export writes it, without a bundle: configurations, one tiny ranker, an empty program."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper
from recsys_serving.triton.model_config import configs_of, write_config
from recsys_serving.triton.repository_check import CONFIG
from recsys_serving.triton.served_bundle import OnnxSignature, write_onnx_models

from recsys.runtime.onnx_model import OnnxModel


def write_skeleton(repository: Path, version: int) -> None:
    """A version of ``recommend``, ``similar``, ``recommender`` and ``ranker``; the last written is the one loaded."""
    ranker = repository / "ranker" / str(version)
    ranker.mkdir(parents=True)
    (ranker / "model.onnx").write_bytes(tiny_ranker())
    for name, config in configs_of({"ranker": OnnxModel(ranker / "model.onnx")}, (), version, 1).items():
        directory = repository / name / str(version)
        directory.mkdir(parents=True, exist_ok=True)
        write_config(config, repository / name / CONFIG)
        write_config(config, directory / CONFIG)
    recommender = repository / "recommender" / str(version)
    (recommender / "model.py").write_text("", encoding="utf-8")
    write_onnx_models(recommender, {"ranker.onnx": OnnxSignature(["user_index", "history"], ["scores"])})


def change(repository: Path, name: str, old: str, new: str) -> None:
    """Replace the first ``old`` in the configuration of a model, which must be there."""
    path = repository / name / CONFIG
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def tiny_ranker() -> bytes:
    """``scores = history + user_index``, with one user for each row."""
    graph = helper.make_graph(
        [
            helper.make_node("Unsqueeze", ["user_index", "last"], ["column"]),
            helper.make_node("Add", ["history", "column"], ["sums"]),
            helper.make_node("Cast", ["sums"], ["scores"], to=TensorProto.FLOAT),
        ],
        "ranker",
        [
            helper.make_tensor_value_info("user_index", TensorProto.INT64, ["batch"]),
            helper.make_tensor_value_info("history", TensorProto.INT64, ["batch", "length"]),
        ],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", "length"])],
        [helper.make_tensor("last", TensorProto.INT64, [1], [1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data
