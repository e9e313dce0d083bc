from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from recsys_serving.triton.model_config import MAX_BATCH, configs_of, read_config, serve_only, write_config
from recsys_serving.triton.repository_check import type_name

from recsys.data.encoded_columns import EncodedColumn
from recsys.data.raw import FeatureKind
from recsys.errors import ExportError

ENCODER: Any = SimpleNamespace(
    described_inputs={
        "user_index": {"type": "tensor(int64)", "shape": ["batch"]},
        "rating": {"type": "tensor(float)", "shape": ["batch", "length"]},
    },
    described_output={"query": {"type": "tensor(float16)", "shape": ["batch", 24]}},
)
CITY = EncodedColumn("city", FeatureKind.CATEGORICAL, None, ("Bonn",))


@pytest.fixture
def configs() -> dict[str, Any]:
    return configs_of({"query_encoder": ENCODER}, (CITY,), version=7, python_instances=2)


def tensors(stated: Any) -> dict[str, tuple[str, list[int]]]:
    return {tensor.name: (type_name(tensor), list(tensor.dims)) for tensor in stated}


def test_a_configuration_is_read_as_it_was_written(configs: dict[str, Any], tmp_path: Path):
    for name, config in configs.items():
        write_config(config, tmp_path / f"{name}.pbtxt")
        assert read_config(tmp_path / f"{name}.pbtxt") == config
    assert not list(tmp_path.glob("*.partial"))


def test_a_configuration_that_cannot_be_written_leaves_the_one_before(
    configs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "config.pbtxt"
    write_config(configs["recommend"], path)
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_config(configs["similar"], path)
    assert read_config(path).name == "recommend"


def test_a_missing_configuration_is_told(tmp_path: Path):
    with pytest.raises(ExportError, match=r"but .*config\.pbtxt cannot be read \(No such file or directory\)"):
        read_config(tmp_path / "config.pbtxt")


@pytest.mark.parametrize("content", [b"max_bach_size: 3", b"max_batch_size: many", b"{", b"\xff"])
def test_what_is_no_configuration_is_told(tmp_path: Path, content: bytes):
    path = tmp_path / "config.pbtxt"
    path.write_bytes(content)
    with pytest.raises(ExportError, match=r"config\.pbtxt is no configuration of a Triton model: .*Export it again"):
        read_config(path)


def test_without_the_client_of_triton_it_is_said_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "tritonclient.grpc", None)
    with pytest.raises(ExportError, match=r"need its client, which is not installed: pip install 'recsys-framework\["):
        read_config(tmp_path / "config.pbtxt")


def test_what_is_asked_is_one_step_of_the_version(configs: dict[str, Any]):
    for name in ("recommend", "similar"):
        assert (configs[name].platform, configs[name].max_batch_size) == ("ensemble", MAX_BATCH)
        (step,) = configs[name].ensemble_scheduling.step
        assert (step.model_name, step.model_version) == ("recommender", 7)


def test_similar_asks_by_names_of_its_own(configs: dict[str, Any]):
    assert tensors(configs["similar"].input) == {
        "item_ids": ("TYPE_STRING", [-1]),
        "item_ids_number": ("TYPE_INT64", [-1]),
        "k": ("TYPE_INT64", [1]),
        "by": ("TYPE_STRING", [1]),
    }
    (step,) = configs["similar"].ensemble_scheduling.step
    assert dict(step.input_map) == {
        "similar_to": "item_ids",
        "similar_to_number": "item_ids_number",
        "k": "k",
        "by": "by",
    }
    assert dict(step.output_map) == {"similar": "similar"}


def test_the_recommender_answers_both_in_as_many_processes_as_are_wanted(configs: dict[str, Any]):
    recommender = configs["recommender"]
    asked = tensors(configs["recommend"].input)
    assert asked["user.city"] == ("TYPE_STRING", [1])
    assert tensors(recommender.input) == asked | {
        "similar_to": ("TYPE_STRING", [-1]),
        "similar_to_number": ("TYPE_INT64", [-1]),
        "by": ("TYPE_STRING", [1]),
    }
    assert tensors(recommender.output) == tensors(configs["recommend"].output) | tensors(configs["similar"].output)
    assert [group.count for group in recommender.instance_group] == [2]
    assert recommender.HasField("dynamic_batching")


def test_requests_of_the_recommender_differ_in_length_but_not_where_there_is_one_value(configs: dict[str, Any]):
    ragged = {tensor.name: tensor.allow_ragged_batch for tensor in configs["recommender"].input}
    assert ragged["history"] and ragged["exclude_items"] and ragged["similar_to"]
    assert not ragged["k"] and not ragged["user_id"] and not ragged["user.city"]


def test_an_onnx_model_has_the_tensors_that_it_describes_whole_batches_at_once(configs: dict[str, Any]):
    encoder = configs["query_encoder"]
    assert (encoder.backend, encoder.max_batch_size) == ("onnxruntime", 0)
    assert tensors(encoder.input) == {"user_index": ("TYPE_INT64", [-1]), "rating": ("TYPE_FP32", [-1, -1])}
    assert tensors(encoder.output) == {"query": ("TYPE_FP16", [-1, 24])}
    assert encoder.parameters["intra_op_thread_count"].string_value == "1"


def test_no_graphics_card_is_asked_for(configs: dict[str, Any]):
    for config in configs.values():
        assert "KIND_GPU" not in str(config)


def test_all_models_have_the_version_loaded_until_told_otherwise(configs: dict[str, Any]):
    assert {name: list(config.version_policy.specific.versions) for name, config in configs.items()} == {
        name: [7] for name in ("recommend", "similar", "recommender", "query_encoder")
    }
    serve_only(configs["recommender"], [9, 8, 9])
    assert list(configs["recommender"].version_policy.specific.versions) == [8, 9]
