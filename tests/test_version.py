"""``recsys.__version__`` is the distribution's, and importing the package imports nothing heavy."""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

import recsys

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(autouse=True)
def _not_looked_up_yet() -> Iterator[None]:
    vars(recsys).pop("__version__", None)
    yield
    vars(recsys).pop("__version__", None)


def not_installed(_: str) -> str:
    raise PackageNotFoundError


def test_the_distribution_has_the_name_of_the_project_file() -> None:
    assert PROJECT["name"] == recsys.DISTRIBUTION


def test_the_version_is_that_of_the_installed_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", {"recsys-framework": "9.8"}.__getitem__)
    assert recsys.__version__ == "9.8"


def test_the_version_of_a_checkout_is_that_of_its_project_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", not_installed)
    assert recsys.__version__ == PROJECT["version"]


def test_the_version_of_copied_code_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.metadata.version", not_installed)
    monkeypatch.setattr(recsys, "__file__", str(tmp_path / "recsys" / "__init__.py"))
    assert recsys.__version__ == "0+unknown"


def test_another_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="module 'recsys' has no attribute 'versoin'"):
        recsys.versoin  # noqa: B018


def test_importing_the_package_imports_nothing_but_the_standard_library() -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); before = set(sys.modules); import recsys; "
        "print(*set(sys.modules) - before)"
    )
    process = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    imported = {name.partition(".")[0] for name in process.stdout.split()}
    assert "recsys" in imported and imported - {"recsys"} <= sys.stdlib_module_names
