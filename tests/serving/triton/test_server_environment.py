import platform
from pathlib import Path

import pytest
from recsys_serving.triton.server_environment import server_environment, why_not_here

from recsys.errors import ServingError


def python_that_says(path: Path, text: str, status: int = 0) -> str:
    path.write_text(f"#!/bin/sh\necho '{text}'\nexit {status}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_another_machine_is_told_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert why_not_here() is not None
    with pytest.raises(ServingError, match=r"this is Darwin on arm64.*NVIDIA's container, tritonserver:24"):
        server_environment(tmp_path / "venv")
    assert not (tmp_path / "venv").exists()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("said", "status", "described"),
    [
        ('{"version": [3, 13, 0], "library": "/lib/libpython3.13.so.1.0"}', 0, "is 3.13.0"),
        ('{"version": [3, 11, 7], "library": null}', 0, "is 3.11.7 without a shared library"),
        ("command not found", 127, "is no Python that runs"),
        ("nothing", 0, "is no Python that runs"),
    ],
)
def test_an_interpreter_that_does_not_fit_is_refused(tmp_path: Path, said: str, status: int, described: str):
    python = python_that_says(tmp_path / "python", said, status)
    with pytest.raises(ServingError, match=f"Python 3.11 or 3.12 with its shared library is required.*{described}"):
        server_environment(tmp_path / "venv", python)


@pytest.mark.usefixtures("here")
def test_an_interpreter_that_does_not_exist_is_refused(tmp_path: Path):
    with pytest.raises(ServingError, match="python3.99 is no Python that runs"):
        server_environment(tmp_path / "venv", "python3.99")


@pytest.mark.usefixtures("here")
def test_without_an_interpreter_that_fits_those_that_are_there_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    other = python_that_says(tmp_path / "python", '{"version": [3, 13, 0], "library": "/lib/libpython3.13.so.1.0"}')
    monkeypatch.setattr("sys.executable", other)
    monkeypatch.setattr("recsys_serving.triton.server_environment.SYSTEM_PYTHON", "/nowhere/python3")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(ServingError, match=r"is 3\.13\.0\. Install one \(Debian, Ubuntu:"):
        server_environment(tmp_path / "venv")


@pytest.mark.usefixtures("here")
def test_an_environment_that_cannot_be_made_says_why(tmp_path: Path):
    python = python_that_says(tmp_path / "python", '{"version": [3, 12, 1], "library": "/lib/libpython3.12.so.1.0"}')
    Path(python).write_text(
        "#!/bin/sh\n[ $1 = -m ] && { echo ensurepip is not available; exit 1; }\n"
        """echo '{"version": [3, 12, 1], "library": "/lib/libpython3.12.so.1.0"}'\n""",
        encoding="utf-8",
    )
    with pytest.raises(ServingError, match=r"(?s)environment cannot be made: .* ended with 1:\nensurepip is not"):
        server_environment(tmp_path / "venv", python)
