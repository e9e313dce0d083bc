"""How the server's program is called: its arguments, its environment, its backends and libraries."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from recsys_serving.triton.admin_key import restrictions
from recsys_serving.triton.guard.plan import HTTP_SOCKET
from recsys_serving.triton.server_environment import ServerEnvironment
from recsys_serving.triton.state import ServerState

#: Seconds that requests in flight have when the server is told to stop.
EXIT_TIMEOUT_SECONDS = 5

_BACKENDS = Path(__file__).parent / "backends"


def server_command(environment: ServerEnvironment, private: Path, state: ServerState) -> list[str]:
    """The program and its arguments.

    It loads every model of the repository, and later loads and unloads what those tell it who have the key (explicit
    model control). By HTTP it listens on a socket in its working directory, by gRPC where others reach it.

    Args:
        environment: that has the program.
        private: the working directory, as :func:`lay_out` made it.
        state: repository, addresses, ports and key.
    """
    return [
        str(environment.server),
        f"--model-repository={state.repository}",
        f"--backend-directory={private / 'backends'}",
        f"--backend-config=python,shm-region-prefix-name={private.name}",
        "--model-control-mode=explicit",
        "--load-model=*",
        "--disable-auto-complete-config",
        # A new version that cannot be loaded must not take the one that answers out of service.
        "--strict-readiness=false",
        f"--exit-timeout-secs={EXIT_TIMEOUT_SECONDS}",
        f"--http-address=unix:{HTTP_SOCKET}",
        f"--grpc-address={state.grpc_address or state.address}",
        f"--metrics-address={state.address}",
        f"--grpc-port={state.grpc_port}",
        f"--metrics-port={state.metrics_port}",
        *restrictions(str(state.admin_key)),
    ]


def server_variables(environment: ServerEnvironment, private: Path) -> dict[str, str]:
    """The environment of the program: this process's, but for Python, and with the server's libraries."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    variables["PATH"] = f"{environment.bin}{os.pathsep}{variables.get('PATH', os.defpath)}"
    # Requests run side by side, not the parts of one.
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        variables.setdefault(threads, "1")
    variables["VIRTUAL_ENV"] = str(environment.directory)
    variables["LD_LIBRARY_PATH"] = f"{private / 'lib'}{os.pathsep}{environment.packages / 'nvidia_pytriton.libs'}"
    return variables


def lay_out(environment: ServerEnvironment, private: Path) -> None:
    """Make the working directory: the interpreter's library alone, without all that is beside it, and the backends."""
    library = environment.interpreter.library
    assert library is not None
    (private / "lib").mkdir()
    (private / "lib" / library.name).symlink_to(library)
    _lay_out_backends(private / "backends", environment)


def _lay_out_backends(backends: Path, environment: ServerEnvironment) -> None:
    """The Python backend with the program of the interpreter's version, and beside it the backends of this package."""
    python = backends / "python"
    python.mkdir(parents=True)
    version = "{}.{}".format(*environment.interpreter.version)
    for source in (
        environment.triton / "backends" / "python" / "libtriton_python.so",
        environment.triton / "backends" / "python" / "triton_python_backend_utils.py",
        environment.triton / "python_backend_stubs" / version / "triton_python_backend_stub",
    ):
        shutil.copy2(source, python / source.name)
    for source in sorted(_BACKENDS.glob("*/model.py")):
        (backends / source.parent.name).mkdir()
        shutil.copy2(source, backends / source.parent.name / source.name)
