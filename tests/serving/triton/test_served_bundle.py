from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from recsys_serving.triton.served_bundle import (
    OnnxSignature,
    model_name,
    open_bundle,
    read_onnx_models,
    write_onnx_models,
)

from recsys.errors import BundleError
from tests.export.board_bundles import board_bundle

SIGNATURE = OnnxSignature(["user_index", "history"], ["query"])


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A version whose ONNX models all run in its own process."""
    shutil.copytree(board_bundle("ease"), tmp_path / "bundle")
    write_onnx_models(tmp_path, {})
    return tmp_path


def test_models_are_named_by_their_files():
    assert model_name("query_encoder.onnx") == "query_encoder"


def test_what_the_server_runs_is_read_as_it_was_written(tmp_path: Path):
    models = {"query_encoder.onnx": SIGNATURE, "ranker.onnx": OnnxSignature(["history"], ["scores", "details"])}
    write_onnx_models(tmp_path, models)
    assert read_onnx_models(tmp_path) == models


def test_what_the_server_runs_can_be_read_by_people(tmp_path: Path):
    write_onnx_models(tmp_path, {"ranker.onnx": SIGNATURE})
    text = (tmp_path / "onnx_models.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"ranker.onnx": {"inputs": ["user_index", "history"], "outputs": ["query"]}}
    assert text.count("\n") > 1 and text.endswith("\n")


@pytest.mark.parametrize("content", ["", "[]", '{"ranker.onnx": {"inputs": []}}', '{"ranker.onnx": 3}'])
def test_a_damaged_list_of_models_is_refused(tmp_path: Path, content: str):
    (tmp_path / "onnx_models.json").write_text(content, encoding="utf-8")
    with pytest.raises(BundleError, match=r"onnx_models\.json cannot be read"):
        read_onnx_models(tmp_path)


def test_a_missing_list_of_models_is_refused(tmp_path: Path):
    with pytest.raises(BundleError, match=r"onnx_models\.json cannot be read \(.*No such file.*Export the bundle"):
        read_onnx_models(tmp_path)


def test_a_whole_bundle_is_opened(directory: Path):
    assert open_bundle(directory).directory == directory / "bundle"


@pytest.mark.parametrize("file", ["popularity.npy", "query_encoder.onnx"])
def test_a_bundle_that_lacks_a_file_is_not_opened(directory: Path, file: str):
    (directory / "bundle" / file).unlink()
    with pytest.raises(BundleError, match=rf"{re.escape(file)} cannot be read"):
        open_bundle(directory)


def test_a_model_that_the_server_runs_need_not_be_in_the_bundle(directory: Path):
    (directory / "bundle" / "query_encoder.onnx").unlink()
    write_onnx_models(directory, {"query_encoder.onnx": SIGNATURE})
    assert len(np.load(open_bundle(directory).directory / "popularity.npy")) > 0


def test_a_file_that_was_changed_is_not_opened(directory: Path):
    path = directory / "bundle" / "popularity.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(BundleError, match=r"popularity\.npy was changed or damaged"):
        open_bundle(directory)
