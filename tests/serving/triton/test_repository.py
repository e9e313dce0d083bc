import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from recsys_serving.triton.model_config import read_config
from recsys_serving.triton.repository import (
    serve_version,
    served_version,
    stage_version,
    version_of,
    write_repository,
)
from recsys_serving.triton.repository_check import check_repository, type_name
from recsys_serving.triton.served_bundle import open_bundle, read_onnx_models

from recsys.errors import ExportError
from recsys.runtime.bundle import Bundle
from tests.export.board_bundles import board_bundle
from tests.serving.triton.skeleton_repository import change


@pytest.fixture(scope="module")
def ease() -> Bundle:
    return Bundle.open(board_bundle("ease"))


@pytest.fixture(scope="module")
def ranked() -> Bundle:
    return Bundle.open(board_bundle("pure_svd", "ease"))


@pytest.fixture(scope="module")
def written(ranked: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("triton") / "repository"
    write_repository(ranked, path, version=7, models="triton")
    return path


@pytest.fixture
def repository(written: Path, tmp_path: Path) -> Path:
    return shutil.copytree(written, tmp_path / "repository")


def loaded(repository: Path, name: str) -> list[int]:
    return list(read_config(repository / name / "config.pbtxt").version_policy.specific.versions)


def test_a_version_is_when_the_bundle_was_made(ease: Bundle, tmp_path: Path):
    version = write_repository(ease, tmp_path / "repository")
    assert version == version_of(ease)
    assert f"{version:014}" == re.sub(r"\D", "", ease.manifest.created)
    assert served_version(tmp_path / "repository") == version


def test_the_models_are_those_of_the_bundle(ease: Bundle, written: Path, tmp_path: Path):
    write_repository(ease, tmp_path / "repository", version=1)
    names = {"recommend", "similar", "recommender"}
    assert {path.name for path in (tmp_path / "repository").iterdir()} == names
    assert {path.name for path in written.iterdir()} == names | {"query_encoder", "ranker", "explainer"}


def test_onnx_models_are_there_once(ease: Bundle, written: Path, tmp_path: Path):
    write_repository(ease, tmp_path / "repository", version=1)
    own = open_bundle(tmp_path / "repository" / "recommender" / "1")
    assert (own.directory / "query_encoder.onnx").is_file()
    others = open_bundle(written / "recommender" / "7")
    assert not list(others.directory.glob("*.onnx"))
    assert set(read_onnx_models(written / "recommender" / "7")) == {
        "query_encoder.onnx",
        "ranker.onnx",
        "explainer.onnx",
    }


def test_what_is_asked_names_the_version(written: Path):
    for name in ("recommend", "similar"):
        (step,) = read_config(written / name / "config.pbtxt").ensemble_scheduling.step
        assert (step.model_name, step.model_version) == ("recommender", 7)


def test_no_graphics_card_is_asked_for(written: Path):
    for path in written.glob("*/config.pbtxt"):
        assert "KIND_GPU" not in path.read_text(encoding="utf-8")


def test_another_version_is_added_and_answers_when_it_is_told_to(repository: Path, ranked: Bundle):
    write_repository(ranked, repository, version=8, models="triton")
    assert served_version(repository) == 7 and loaded(repository, "ranker") == [7]
    assert stage_version(repository, 8) == ["explainer", "query_encoder", "ranker", "recommender"]
    assert served_version(repository) == 7 and loaded(repository, "ranker") == [7, 8]
    serve_version(repository, 8)
    assert served_version(repository) == 8 and loaded(repository, "ranker") == [7, 8]
    assert loaded(repository, "similar") == [8]
    write_repository(ranked, repository, version=9, models="triton")
    serve_version(repository, 9)
    assert loaded(repository, "recommender") == [8, 9]
    serve_version(repository, 7)
    assert served_version(repository) == 7 and loaded(repository, "recommender") == [7, 9]


def test_versions_with_other_sizes_without_a_ranker_or_without_models_on_the_server_live_together(
    repository: Path, ease: Bundle
):
    write_repository(ease, repository, version=8, models="triton")
    assert stage_version(repository, 8) == ["explainer", "query_encoder", "recommender"]
    serve_version(repository, 8)
    assert loaded(repository, "query_encoder") == [7, 8] and loaded(repository, "ranker") == [7]
    check_repository(repository)
    write_repository(ease, repository, version=9, models="in_process")
    assert stage_version(repository, 9) == ["recommender"]
    check_repository(repository)


def test_columns_of_users_are_inputs(ease: Bundle, tmp_path: Path):
    repository = tmp_path / "repository"
    write_repository(Bundle.open(board_bundle("two_tower", "ease")), repository, version=1, models="triton")
    told = {"user.city": ("STRING", [1]), "user.age": ("FP32", [1]), "user.hobbies": ("STRING", [-1])}
    read = {"user.city": ("INT64", [-1, -1]), "user.age": ("FP32", [-1]), "user.hobbies": ("INT64", [-1, -1])}
    for name, expected in (("recommend", told), ("recommender", told), ("query_encoder", read), ("ranker", {})):
        inputs = read_config(repository / name / "config.pbtxt").input
        columns = [tensor for tensor in inputs if tensor.name.startswith("user.")]
        assert {of.name: (type_name(of).removeprefix("TYPE_"), list(of.dims)) for of in columns} == expected
        assert all(of.optional for of in columns) == (expected is told or not expected)
    with pytest.raises(ExportError, match="recommend of this bundle has other inputs or outputs.*Choose a new output="):
        write_repository(ease, repository, version=2)


def test_a_version_that_is_there_is_not_written_again(repository: Path, ease: Bundle):
    before = sorted(repository.rglob("*"))
    with pytest.raises(ExportError, match="has version 7 already. Choose another version= or output="):
        write_repository(ease, repository, version=7)
    assert sorted(repository.rglob("*")) == before


@pytest.mark.parametrize("version", [0, -1, 2**63])
def test_a_version_that_is_none_is_refused(ease: Bundle, tmp_path: Path, version: int):
    with pytest.raises(ExportError, match=f"must be whole numbers of at least 1, but they are {version} and 1"):
        write_repository(ease, tmp_path / "repository", version)


def test_a_directory_that_is_no_repository_is_left_alone(ease: Bundle, tmp_path: Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("Dear", encoding="utf-8")
    with pytest.raises(ExportError, match="A repository with the model recommend is required"):
        write_repository(ease, tmp_path / "mine")
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "letter.txt"]


def test_nothing_is_left_of_a_repository_that_could_not_be_written(
    ease: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(*paths: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("recsys_serving.triton.repository.copy_modules", full)
    with pytest.raises(OSError, match="No space left"):
        write_repository(ease, tmp_path / "repository")
    assert list(tmp_path.iterdir()) == []


def test_a_version_that_does_not_exist_is_not_served(repository: Path):
    with pytest.raises(ExportError, match="must have version 8 to serve it, but has 7"):
        serve_version(repository, 8)


def test_a_place_that_is_none_is_refused(ease: Bundle, tmp_path: Path):
    with pytest.raises(ExportError, match="models must be triton or in_process, but it is 'gpu'"):
        write_repository(ease, tmp_path / "repository", models="gpu")  # type: ignore[arg-type]


def test_a_model_of_another_form_does_not_become_a_version(repository: Path, ranked: Bundle):
    change(repository, "recommender", 'name: "scores"', 'name: "other"')
    with pytest.raises(ExportError, match="The model recommender of this bundle has other inputs or outputs"):
        write_repository(ranked, repository, version=8)
    assert not list(repository.glob("*/8"))


def test_the_copied_code_runs_on_its_own(ease: Bundle, tmp_path: Path):
    write_repository(ease, tmp_path / "repository", version=7)
    directory = tmp_path / "repository" / "recommender" / "7"
    (tmp_path / "triton_python_backend_utils.py").write_text("", encoding="utf-8")
    program = (
        "import runpy, sys\n"
        f"made = runpy.run_path({str(directory / 'model.py')!r})['TritonPythonModel']()\n"
        "made.initialize({'model_version': '7'})\n"
        "ours = [module.__file__ for name, module in sys.modules.items() if name.split('.')[0].startswith('recsys')]\n"
        f"assert ours and all(file.startswith({str(directory)!r}) for file in ours), ours\n"
        "assert not {'torch', 'scipy', 'hydra', 'mlflow', 'tritonclient'} & set(sys.modules)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    finished = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize("moved", range(4))
def test_what_a_killed_process_added_half_is_replaced(ranked: Bundle, repository: Path, moved: int, monkeypatch):
    replace, calls = os.replace, 0

    def kill(source: Path, target: Path) -> None:
        nonlocal calls
        if Path(source).name == "9":
            calls += 1
            if calls > moved:
                raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr("os.replace", kill)
    with pytest.raises(KeyboardInterrupt):
        write_repository(ranked, repository, version=9, models="triton")
    monkeypatch.undo()
    check_repository(repository)  # a server may still be started on it
    assert served_version(repository) == 7
    with pytest.raises(ExportError, match="must have version 9 to serve it, but has 7"):
        serve_version(repository, 9)
    write_repository(ranked, repository, version=9, models="triton")
    serve_version(repository, 9)
    check_repository(repository)
    assert served_version(repository) == 9
