from __future__ import annotations

from pathlib import Path

import pytest
import recsys_serving
from recsys_serving.triton.vendored_modules import copy_modules, modules_needed

import recsys

RECSYS, SERVING = (Path(str(package.__file__)).parent for package in (recsys, recsys_serving))


def needed(directory: Path, program: str) -> list[str]:
    """What a program needs, from the roots of our packages, without the fronts of packages."""
    path = directory / "program.py"
    path.write_text(program, encoding="utf-8")
    return [
        file.relative_to((RECSYS if file.is_relative_to(RECSYS) else SERVING).parent).as_posix()
        for file in modules_needed([path])
        if file.name != "__init__.py"
    ]


def test_modules_are_found_through_each_other(tmp_path: Path):
    program = tmp_path / "program.py"
    program.write_text("import json\nfrom recsys.retrieval import top_k\n", encoding="utf-8")
    copy_modules(modules_needed([program]), tmp_path / "copy")
    found = sorted(str(path.relative_to(tmp_path / "copy")) for path in (tmp_path / "copy").rglob("*.py"))
    assert found == [
        "recsys/__init__.py",
        "recsys/retrieval/__init__.py",
        "recsys/retrieval/candidates.py",
        "recsys/retrieval/top_k.py",
        "recsys/retrieval/types.py",
    ]
    # the front of a package may import all of it
    assert (tmp_path / "copy" / "recsys" / "__init__.py").read_text(encoding="utf-8") == ""


def test_modules_are_copied_as_they_are(tmp_path: Path):
    copy_modules([RECSYS / "errors.py", SERVING / "triton" / "versions.py"], tmp_path)
    assert (tmp_path / "recsys" / "errors.py").read_bytes() == (RECSYS / "errors.py").read_bytes()
    assert (tmp_path / "recsys_serving" / "triton" / "versions.py").is_file()


@pytest.mark.parametrize(
    "program",
    [
        "import recsys.errors",
        "from recsys import errors",
        "from recsys.errors import RequestError",
        "def late():\n    from recsys.errors import RequestError",
        "try:\n    import recsys.errors as ours\nexcept ImportError:\n    pass",
    ],
)
def test_every_way_to_import_a_module_counts(tmp_path: Path, program: str):
    assert needed(tmp_path, program) == ["recsys/errors.py"]


def test_packages_of_others_are_not_ours(tmp_path: Path):
    assert needed(tmp_path, "import json, numpy\nfrom recsys_of_others import errors") == []


def test_both_of_our_packages_are_found(tmp_path: Path):
    found = needed(tmp_path, "from recsys_serving.triton.server_environment import ServerEnvironment")
    assert found == ["recsys/errors.py", "recsys_serving/triton/server_environment.py"]


def test_code_that_needs_torch_is_not_copied(tmp_path: Path):
    with pytest.raises(AssertionError, match="torch"):
        needed(tmp_path, "from recsys.models.mf import MF\n")


def test_a_program_that_needs_torch_itself_is_refused(tmp_path: Path):
    with pytest.raises(AssertionError, match="torch"):
        needed(tmp_path, "import torch.nn")


def test_the_recommender_needs_nothing_that_trains():
    files = modules_needed([SERVING / "triton" / "models" / "recommender.py"])
    rooms = {file.relative_to(RECSYS).parts[0] for file in files if file.is_relative_to(RECSYS)}
    assert {"runtime", "retrieval", "errors.py"} <= rooms
    assert not rooms & {"models", "training", "runs", "export", "evaluation", "studies"}
