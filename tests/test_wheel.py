"""What is in the wheel. ``make wheel-check`` installs it in an empty environment and trains with it."""

from __future__ import annotations

import configparser
import email
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

if int(version("setuptools").partition(".")[0]) < 77:
    pytest.skip("building the wheel without a network needs setuptools 77 or newer", allow_module_level=True)

ROOT = Path(__file__).parents[1]
SOURCES = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "recsys", "serving", "configs", "scripts")
#: Directory of the repository, where its files are in the wheel, and which files those are.
SHIPPED = [
    ("recsys", "recsys", "**/*.py"),
    ("serving/recsys_serving", "recsys_serving", "**/*.py"),
    ("configs", "recsys/configs", "**/*.yaml"),
    ("scripts", "recsys/scripts", "*.py"),
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of a copy of the sources: what was built in the repository before would go into another one."""
    directory = tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copyfile(ROOT / name, directory / name)
    command = [sys.executable, "-m", "pip", "wheel", str(directory), "--no-deps", "--no-build-isolation", "--quiet"]
    process = subprocess.run([*command, "--wheel-dir", str(directory / "dist")], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    (path,) = (directory / "dist").glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> email.message.Message:
    """Name, version, requirements and extras."""
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    return email.message_from_bytes(wheel.read(name))


@pytest.mark.parametrize(("directory", "place", "pattern"), SHIPPED)
def test_all_files_are_in_the_wheel(wheel: zipfile.ZipFile, directory: str, place: str, pattern: str) -> None:
    source = ROOT / directory
    expected = {f"{place}/{path.relative_to(source).as_posix()}" for path in source.glob(pattern)}
    assert expected and expected <= set(wheel.namelist())


def test_nothing_else_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    code = [name for name in wheel.namelist() if ".dist-info/" not in name]
    assert {name.partition("/")[0] for name in code} == {"recsys", "recsys_serving"}
    sources = {
        f"{place}/{path.relative_to(ROOT / directory).as_posix()}"
        for directory, place, pattern in SHIPPED
        for path in (ROOT / directory).glob(pattern)
    }
    typing = {"recsys/py.typed", "recsys_serving/py.typed", "recsys/api/models.pyi"}
    assert set(code) - sources == typing


def test_the_server_s_own_programs_are_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert "recsys_serving/triton/backends/onnxruntime/model.py" in names
    assert "recsys_serving/triton/models/recommender.py" in names
    assert "recsys_serving/store/schema/migrations/env.py" in names
    assert "recsys_serving/store/schema/migrations/versions/v0001_first_tables.py" in names


def test_the_entry_point_is_the_command_recsys(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt")]
    entries = configparser.ConfigParser()
    entries.read_string(wheel.read(name).decode())
    assert dict(entries["console_scripts"]) == {"recsys": "recsys.cli.main:main"}


def test_the_metadata_name_the_distribution_its_pythons_and_its_extras(metadata: email.message.Message) -> None:
    assert metadata["Name"] == "recsys-framework"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert {"serving", "app", "gpu", "ui", "text", "tune", "dev"} <= set(metadata.get_all("Provides-Extra"))
    assert "# recsys" in metadata.get_payload()
