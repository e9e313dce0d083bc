from __future__ import annotations

from pathlib import Path

import pytest
from recsys_serving.triton.model_config import read_config
from recsys_serving.triton.repository_check import check_repository, loaded_versions, type_name, versions_of

from recsys.errors import ExportError
from tests.serving.triton.skeleton_repository import change, write_skeleton
from tests.serving.triton.tiny_repository import write_tiny_models


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "repository"
    write_skeleton(path, version=7)
    return path


def test_what_fits_together_is_let_through(repository: Path):
    check_repository(repository)


def test_dimensions_are_those_after_a_reshape(tmp_path: Path):
    write_tiny_models(tmp_path)  # ``number`` comes as [B, 1], and the model reads [B]
    check_repository(tmp_path)
    change(tmp_path, "add", "reshape { shape: [] }", "")
    with pytest.raises(ExportError, match=r"states the shape \[-1, 1\] for the input number, batch included, but"):
        check_repository(tmp_path)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("recommender", "max_batch_size", "max_bach_size", "is no configuration of a Triton model: .*max_bach_size"),
        ("recommender", "KIND_CPU", "KIND_BOTH", "is no configuration of a Triton model: .*KIND_BOTH"),
        ("ranker", 'name: "ranker"', 'name: "other"', "The configuration of the model ranker in .* calls it other"),
        ("ranker", "versions: 7", "versions: 8", "The model ranker in .* must have version 8, but has 7"),
        ("ranker", 'name: "history"', 'name: "past"', "states the inputs .*past.*, but the model has .*history"),
        ("ranker", "TYPE_INT64", "TYPE_INT32", "states TYPE_INT32 for the input user_index, but the model has tensor"),
        ("ranker", "TYPE_FP32", "TYPE_FP64", "states TYPE_FP64 for the output scores, but the model has tensor"),
        ("ranker", "dims: -1", "dims: -1\n  dims: 1", r"states the shape \[-1, 1\] for the input user_index"),
        (
            "recommend",
            'model_name: "recommender"',
            'model_name: "other"',
            "has the step other, but .* has no such model",
        ),
        ("recommend", "model_version: 7", "model_version: 8", "needs version 8 of recommender, but .* has 7"),
        ("similar", 'key: "similar_to"', 'key: "of"', "names of of recommender, which has no such tensor"),
        ("similar", 'value: "item_ids"', 'value: "ids"', "gives ids to recommender, .*comes from no step"),
        (
            "recommender",
            'name: "scores"\n  data_type: TYPE_FP32',
            'name: "scores"\n  data_type: TYPE_FP64',
            "but it is TYPE_FP64",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(repository: Path, name: str, old: str, new: str, message: str):
    change(repository, name, old, new)
    with pytest.raises(ExportError, match=f"(?s){message}"):
        check_repository(repository)


def test_an_input_that_a_step_lacks_is_refused(repository: Path):
    change(
        repository,
        "recommender",
        'name: "user_id"\n  data_type: TYPE_STRING\n  dims: 1\n  optional: true',
        'name: "user_id"\n  data_type: TYPE_STRING\n  dims: 1',
    )
    with pytest.raises(ExportError, match="The ensemble similar gives no user_id to recommender, which requires it"):
        check_repository(repository)


@pytest.mark.parametrize("file", ["ranker/7/model.onnx", "recommender/7/model.py"])
def test_a_missing_model_is_refused(repository: Path, file: str):
    (repository / file).unlink()
    with pytest.raises(ExportError, match=f"A model is required in .*{file}, but there is none"):
        check_repository(repository)


def test_a_model_without_a_configuration_is_refused(tmp_path: Path):
    with pytest.raises(ExportError, match=r"with a config.pbtxt in the directory of each model, but .* has none"):
        check_repository(tmp_path)


def test_versions_are_directories_named_by_numbers_in_the_order_of_these(tmp_path: Path):
    for name in ("10", "9", "old", ".partial"):
        (tmp_path / name).mkdir()
    (tmp_path / "11").write_text("", encoding="utf-8")  # a file
    assert versions_of(tmp_path) == [9, 10]


@pytest.mark.parametrize(
    ("policy", "versions"),
    [
        ("specific { versions: 9 versions: 7 }", [7, 9]),
        ("all { }", [7, 8, 9]),
        ("latest { num_versions: 2 }", [8, 9]),
        ("latest { num_versions: 5 }", [7, 8, 9]),
        ("latest { }", [9]),
    ],
)
def test_which_versions_are_loaded_is_said_by_the_policy(repository: Path, policy: str, versions: list[int]):
    for version in ("8", "9"):
        (repository / "ranker" / version).mkdir()
    path = repository / "ranker" / "config.pbtxt"
    path.write_text(f'name: "ranker" version_policy {{ {policy} }}', encoding="utf-8")
    assert loaded_versions(repository, "ranker", read_config(path)) == versions


def test_without_a_policy_the_latest_version_is_loaded(repository: Path):
    (repository / "ranker" / "10").mkdir()
    path = repository / "ranker" / "config.pbtxt"
    path.write_text('name: "ranker"', encoding="utf-8")
    assert loaded_versions(repository, "ranker", read_config(path)) == [10]


def test_a_model_with_no_version_at_all_is_refused(repository: Path):
    (repository / "empty").mkdir()
    path = repository / "empty" / "config.pbtxt"
    path.write_text('name: "empty" version_policy { all { } }', encoding="utf-8")
    with pytest.raises(ExportError, match="The model empty in .* must have a version, but has none"):
        loaded_versions(repository, "empty", read_config(path))


def test_the_type_of_a_tensor_has_its_name(repository: Path):
    inputs = read_config(repository / "recommender" / "config.pbtxt").input
    types = {tensor.name: type_name(tensor) for tensor in inputs}
    assert (types["user_id"], types["k"], types["ratings"], types["explain"]) == (
        "TYPE_STRING",
        "TYPE_INT64",
        "TYPE_FP32",
        "TYPE_BOOL",
    )
