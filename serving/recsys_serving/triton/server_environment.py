"""The Python environment of the Triton server, which it does not share with the rest: its NumPy is of version 1.

The wheel ``nvidia-pytriton`` carries the server itself, its Python backend, and for each Python version a program that
runs models written in Python. That program exchanges tensors by the binary layout of NumPy 1: with NumPy 2 their values
would be wrong without a message. So the environment needs Python 3.11 or 3.12, the last ones with NumPy 1.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from recsys.errors import ServingError

#: What the server and the models of a repository need.
REQUIREMENTS = (
    "nvidia-pytriton==0.7.0",
    "tritonclient[http,grpc]==2.51.0",
    "onnxruntime==1.23.2",
    "numpy==1.26.4",
    "pyarrow==21.0.0",  # later ones want NumPy 2
    "faiss-cpu>=1.9",
)

#: Minor versions of Python 3 that have both NumPy 1 and the server's program for models in Python.
PYTHON_MINORS = (11, 12)

#: Written last: what the environment was made with.
STAMP = "made_with.json"

SYSTEM_PYTHON = "/usr/bin/python3"

#: Lines of another program's output that a message repeats.
SHOWN_LINES = 15

_CONTAINER = "tritonserver:24.12-py3"

#: What an interpreter says of itself: its minor version, and where its shared library may be.
_PROBE = """
import json, os, sys, sysconfig
values = {name: sysconfig.get_config_var(name) or "" for name in ("LIBDIR", "MULTIARCH")}
library = f"libpython3.{sys.version_info.minor}.so.1.0"
folders = [values["LIBDIR"], os.path.join(values["LIBDIR"], values["MULTIARCH"]), "/usr/lib/" + values["MULTIARCH"]]
paths = [os.path.join(folder, library) for folder in folders]
print(json.dumps({
    "version": list(sys.version_info[:3]),
    "library": next((path for path in paths if os.path.isfile(path)), None),
}))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that the environment may be made with.

    Args:
        path: the program.
        version: such as (3, 11, 7).
        library: its shared library, which runs models written in Python; None where there is none.
    """

    path: Path
    version: tuple[int, int, int]
    library: Path | None

    @property
    def fits(self) -> bool:
        """Whether the server can work with it."""
        return self.version[0] == 3 and self.version[1] in PYTHON_MINORS and self.library is not None


@dataclass(frozen=True, slots=True)
class ServerEnvironment:
    """An environment that is there.

    Args:
        directory: of the virtual environment.
        interpreter: that it was made with.
    """

    directory: Path
    interpreter: Interpreter

    @property
    def bin(self) -> Path:
        """Its programs."""
        return self.directory / "bin"

    @property
    def packages(self) -> Path:
        """Where its packages are."""
        return self.directory / "lib" / f"python3.{self.interpreter.version[1]}" / "site-packages"

    @property
    def triton(self) -> Path:
        """The server's own files."""
        return self.packages / "pytriton" / "tritonserver"

    @property
    def server(self) -> Path:
        """The server's program."""
        return self.triton / "bin" / "tritonserver"


def why_not_here() -> str | None:
    """Why the server cannot run on this machine; None where it can, as far as can be seen without trying."""
    system, machine = platform.system(), platform.machine()
    if (system, machine) == ("Linux", "x86_64"):
        return None
    return (
        f"The server's package is for Linux on x86-64, but this is {system} on {machine}. Run the same model "
        f"repository in NVIDIA's container, {_CONTAINER}; docs/triton.md says how."
    )


def server_environment(directory: Path, python: str | None = None) -> ServerEnvironment:
    """The environment in ``directory``, made now where it is missing or where it was made for something else.

    Args:
        directory: of the virtual environment; whatever is in it is replaced where it does not fit.
        python: the interpreter to make it with; None: this one, or else one of :data:`PYTHON_MINORS` on the path.

    Raises:
        ServingError: the machine, the interpreter or the packages do not allow it.
    """
    reason = why_not_here()
    if reason is not None:
        raise ServingError(reason)
    interpreter = _chosen(python)
    environment = ServerEnvironment(directory, interpreter)
    wanted = {"requirements": list(REQUIREMENTS), "version": list(interpreter.version), "path": str(interpreter.path)}
    stamp = directory / STAMP
    directory.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(directory.with_name(f"{directory.name}.lock")):
        if not (_read(stamp) == wanted and environment.server.is_file()):
            stamp.unlink(missing_ok=True)
            _run([str(interpreter.path), "-m", "venv", "--clear", str(directory)], "The server's environment")
            _run(
                [str(environment.bin / "python"), "-m", "pip", "install", "--quiet", *REQUIREMENTS],
                "The server's packages",
            )
            stamp.write_text(json.dumps(wanted, indent=2), encoding="utf-8")
    return environment


def is_made(directory: Path) -> bool:
    """Whether there is an environment already, of this version or of another one."""
    return (directory / STAMP).is_file()


def _chosen(python: str | None) -> Interpreter:
    """The interpreter to work with."""
    if python is not None:
        found = _probed(python)
        if found is None or not found.fits:
            raise ServingError(f"{_needed()} {python} is {_described(found)}.")
        return found
    # The interpreter of a virtual environment would make one that breaks when its parent goes.
    candidates = [
        os.path.realpath(sys.executable),
        *(f"python3.{minor}" for minor in PYTHON_MINORS),
        SYSTEM_PYTHON,
    ]
    probed = [(name, _probed(name)) for name in candidates]
    for _, interpreter in probed:
        if interpreter is not None and interpreter.fits:
            return interpreter
    there = "; ".join(f"{name} is {_described(interpreter)}" for name, interpreter in probed if interpreter is not None)
    raise ServingError(
        f"{_needed()} {there}. Install one (Debian, Ubuntu: python3.12 python3.12-venv libpython3.12), name it with "
        f"--python, or run the model repository in NVIDIA's container, {_CONTAINER}."
    )


def _needed() -> str:
    minors = " or ".join(f"3.{minor}" for minor in PYTHON_MINORS)
    return f"Python {minors} with its shared library is required for the server's environment, since NumPy 1 is."


def _described(interpreter: Interpreter | None) -> str:
    if interpreter is None:
        return "no Python that runs"
    version = ".".join(map(str, interpreter.version))
    return version if interpreter.library is not None else f"{version} without a shared library"


def _probed(python: str) -> Interpreter | None:
    """What an interpreter says of itself; None where it does not run, as wrappers of version managers may not."""
    path = shutil.which(python)
    if path is None:
        return None
    try:
        finished = subprocess.run([path, "-c", _PROBE], capture_output=True, text=True, timeout=60, check=True)
        said = json.loads(finished.stdout)
    except (OSError, subprocess.SubprocessError, json.JSONDecodeError):
        return None
    major, minor, patch = said["version"]
    library = said["library"]
    return Interpreter(Path(path), (major, minor, patch), None if library is None else Path(library))


def _run(command: list[str], what: str) -> None:
    """Run a program that makes a part of the environment.

    Raises:
        ServingError: it fails; with its last lines.
    """
    finished = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if finished.returncode != 0:
        last = "\n".join(finished.stdout.splitlines()[-SHOWN_LINES:])
        raise ServingError(f"{what} cannot be made: {' '.join(command)} ended with {finished.returncode}:\n{last}")


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return None
