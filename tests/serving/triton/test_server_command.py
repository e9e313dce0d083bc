from dataclasses import replace
from pathlib import Path

import pytest
from recsys_serving.triton.server_command import lay_out, server_command, server_variables
from recsys_serving.triton.server_environment import Interpreter, ServerEnvironment
from recsys_serving.triton.state import ServerState


@pytest.fixture
def environment(tmp_path: Path) -> ServerEnvironment:
    """The files of an environment that are copied, without content."""
    made = ServerEnvironment(tmp_path / "venv", Interpreter(tmp_path / "python", (3, 12, 1), tmp_path / "libpython.so"))
    for name in ("libtriton_python.so", "triton_python_backend_utils.py"):
        (made.triton / "backends" / "python").mkdir(parents=True, exist_ok=True)
        (made.triton / "backends" / "python" / name).touch()
    stubs = made.triton / "python_backend_stubs"
    for version in ("3.11", "3.12"):
        (stubs / version).mkdir(parents=True)
        (stubs / version / "triton_python_backend_stub").write_text(version, encoding="utf-8")
    return made


def test_by_http_only_the_gate_reaches_it(environment: ServerEnvironment):
    state = ServerState(1, 2, "/models", 8000, 8001, 8002, "log", "private", "secret", "10.1.2.3")
    command = server_command(environment, Path("/private"), state)
    assert "--http-address=unix:http.sock" in command and not any(part.startswith("--http-port") for part in command)
    assert {"--grpc-address=10.1.2.3", "--grpc-port=8001", "--model-control-mode=explicit"} <= set(command)
    local = server_command(environment, Path("/private"), replace(state, grpc_address="127.0.0.1"))
    assert {"--grpc-address=127.0.0.1", "--metrics-address=10.1.2.3"} <= set(local)
    assert sum(part.endswith("recsys-admin-key=secret") for part in command) == 2


def test_its_environment_has_nothing_of_another_python(environment: ServerEnvironment, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    variables = server_variables(environment, Path("/private"))
    assert "PYTHONPATH" not in variables
    assert (variables["OMP_NUM_THREADS"], variables["OPENBLAS_NUM_THREADS"]) == ("3", "1")
    assert variables["LD_LIBRARY_PATH"].startswith("/private/lib:")


def test_backends_have_the_program_of_the_interpreters_version(environment: ServerEnvironment, tmp_path: Path):
    private = tmp_path / "private"
    private.mkdir()
    lay_out(environment, private)
    assert (private / "lib" / "libpython.so").is_symlink()
    assert (private / "backends" / "python" / "triton_python_backend_stub").read_text() == "3.12"
    assert sorted(path.name for path in (private / "backends").iterdir()) == ["onnxruntime", "python"]
