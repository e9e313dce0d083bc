"""Starts and stops a Triton server on this machine, in the background, with its files below one directory.

::

    .triton/
        venv/            the server's Python environment, kept between starts
        state.json       process, ports, repository: as long as the server runs
        server.log       what the server of the last start wrote
        start-XXXXXXXX/  backends and libraries of one start
"""

from __future__ import annotations

import http.client
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from recsys.cli.commands import command_line
from recsys.errors import ServingError
from recsys_serving.triton.server_environment import SHOWN_LINES, ServerEnvironment, is_made, server_environment
from recsys_serving.triton.state import STATE, ServerState, read_state, running_server, started_at

ADDRESS = "127.0.0.1"
LOG = "server.log"

#: Seconds that requests in flight have when the server is told to stop.
EXIT_TIMEOUT_SECONDS = 5

#: Seconds after which a server that was told to stop is killed.
STOP_SECONDS = 20.0

#: Times that ports are looked for, where one that was free is taken by another before the server has it.
ATTEMPTS = 3

#: What only those may use who have the key of a server: some of it runs code that is sent.
ADMIN_INTERFACES = ("model-repository", "shared-memory", "trace", "logging")

#: The header with the key, by HTTP; by gRPC Triton wants a word before it.
ADMIN_HEADER = "recsys-admin-key"

#: Has the key of a server that was not started here.
ADMIN_KEY_VARIABLE = "RECSYS_ADMIN_KEY"

_BACKENDS = Path(__file__).parent / "backends"
_SHARED_MEMORY = Path("/dev/shm")
_TAKEN = re.compile(r"address already in use|failed to start (HTTP|GRPC|Metrics) service", re.IGNORECASE)
_WORTH_SHOWING = re.compile(r"^E\d{4} |error|exception|failed", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the server listens; None: wherever it is free."""

    http: int | None = None
    grpc: int | None = None
    metrics: int | None = None

    def found(self) -> tuple[int, int, int]:
        """The three ports, free ones where none is told.

        Raises:
            ServingError: one that is told is taken, or told twice.
        """
        told = [port for port in (self.http, self.grpc, self.metrics) if port is not None]
        if len(set(told)) < len(told):
            raise ServingError(f"Three different ports are required for HTTP, gRPC and metrics, but {told} came.")
        sockets = []
        try:
            for port in (self.http, self.grpc, self.metrics):
                listener = socket.socket()
                sockets.append(listener)
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    listener.bind((ADDRESS, port or 0))
                except (OSError, OverflowError) as error:
                    raise ServingError(
                        f"The port {port} cannot be had ({error}). Choose another one, or none for a free one."
                    ) from None
            http_port, grpc_port, metrics_port = (listener.getsockname()[1] for listener in sockets)
        finally:
            for listener in sockets:
                listener.close()
        return http_port, grpc_port, metrics_port


def start(
    directory: Path,
    repository: Path,
    ports: Ports | None = None,
    python: str | None = None,
    timeout_seconds: float = 120.0,
    say: Callable[[str], None] = lambda text: None,
    environment: Path | None = None,
) -> ServerState:
    """Start a server on a model repository and wait until all models are ready.

    It loads every model of the repository, and later loads and unloads what it is told (explicit model control).

    Args:
        directory: of the server's files.
        repository: the models.
        ports: where to listen.
        python: the interpreter of the server's environment, see :func:`server_environment`.
        timeout_seconds: how long the models may take.
        say: told what is waited for.
        environment: of the server's Python environment; None: ``venv`` in ``directory``.

    Raises:
        ServingError: a server runs already, the repository has no models, the environment cannot be made, or the
            server ends or is not ready in time; with its last lines.
    """
    directory, repository = directory.resolve(), repository.resolve()
    if not any(repository.glob("*/config.pbtxt")):
        raise ServingError(
            f"A model repository is required, with a config.pbtxt in the directory of each model, but {repository} has "
            f"none. Make one with {command_line('export_triton')}."
        )
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(directory / "start.lock", timeout=0):
            running = running_server(directory)
            if running is not None:
                raise ServingError(
                    f"A server runs already (process {running.pid}, HTTP at {running.http_url}, gRPC at "
                    f"{running.grpc_url}, models of {running.repository}). Stop it first: "
                    f"{command_line('triton_server')} stop."
                )
            _clean(directory, read_state(directory))
            place = environment or directory / "venv"
            say("environment" if is_made(place) else "environment, which is made once and takes some minutes")
            made = server_environment(place, python)
            say("models")
            return _start(directory, repository, made, ports or Ports(), timeout_seconds)
    except Timeout:
        raise ServingError(f"A server is being started in {directory} already. Wait for it.") from None


def _start(
    directory: Path, repository: Path, environment: ServerEnvironment, ports: Ports, timeout_seconds: float
) -> ServerState:
    for attempt in range(1, ATTEMPTS + 1):
        found = ports.found()
        state = _launched(directory, repository, environment, found)
        state.save(directory)
        try:
            failure = _waited(state, timeout_seconds)
        except BaseException:  # whoever does not wait does not want it
            stop(directory)
            raise
        if failure is None:
            return state
        stop(directory)
        log = _last_lines(Path(state.log))
        if not (_TAKEN.search(log) and found != (ports.http, ports.grpc, ports.metrics) and attempt < ATTEMPTS):
            raise ServingError(f"The server {failure}. Its last lines, from {state.log}:\n{log}")
    raise AssertionError("the last attempt either succeeds or raises")


def stop(directory: Path) -> bool:
    """Stop the server: ask it to end, kill it where it does not, and remove what it leaves.

    Returns:
        Whether there was one.
    """
    directory = directory.resolve()
    state = read_state(directory)
    was_running = state is not None and state.is_running
    if state is not None and was_running:
        os.kill(state.pid, signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        while state.is_running and time.monotonic() < end:
            time.sleep(0.05)
        if state.is_running:
            # Its models in Python are of its process group.
            os.killpg(os.getpgid(state.pid), signal.SIGKILL)
            while state.is_running:
                time.sleep(0.05)
    _clean(directory, state)
    return was_running


def _clean(directory: Path, state: ServerState | None) -> None:
    """Remove what a server that has ended left behind."""
    (directory / STATE).unlink(missing_ok=True)
    for private in directory.glob("start-*"):
        shutil.rmtree(private, ignore_errors=True)
    if state is not None:
        for region in _SHARED_MEMORY.glob(f"{Path(state.private).name}*"):
            region.unlink(missing_ok=True)


def _launched(
    directory: Path, repository: Path, environment: ServerEnvironment, ports: tuple[int, int, int]
) -> ServerState:
    """A server that was just started, ready or not."""
    private = Path(tempfile.mkdtemp(prefix="start-", dir=directory))
    admin_key = secrets.token_urlsafe(24)
    backends, libraries = private / "backends", private / "lib"
    _lay_out_backends(backends, environment)
    libraries.mkdir()
    library = environment.interpreter.library
    assert library is not None
    # Only this library, not all that are beside it.
    (libraries / library.name).symlink_to(library)
    http_port, grpc_port, metrics_port = ports
    command = [
        str(environment.server),
        f"--model-repository={repository}",
        f"--backend-directory={backends}",
        f"--backend-config=python,shm-region-prefix-name={private.name}",
        "--model-control-mode=explicit",
        "--load-model=*",
        "--disable-auto-complete-config",
        # A new version that cannot be loaded must not take the one that answers out of service.
        "--strict-readiness=false",
        f"--exit-timeout-secs={EXIT_TIMEOUT_SECONDS}",
        *(f"--{service}-address={ADDRESS}" for service in ("http", "grpc", "metrics")),
        f"--http-port={http_port}",
        f"--grpc-port={grpc_port}",
        f"--metrics-port={metrics_port}",
        *(
            f"--{option}={','.join(ADMIN_INTERFACES)}:{ADMIN_HEADER}={admin_key}"
            for option in ("http-restricted-api", "grpc-restricted-protocol")
        ),
    ]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    variables["PATH"] = f"{environment.bin}{os.pathsep}{variables.get('PATH', os.defpath)}"
    # Requests run side by side, not the parts of one.
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        variables.setdefault(threads, "1")
    variables["VIRTUAL_ENV"] = str(environment.directory)
    variables["LD_LIBRARY_PATH"] = f"{libraries}{os.pathsep}{environment.packages / 'nvidia_pytriton.libs'}"
    log = directory / LOG
    # A shell starts it and ends, so that it is nobody's child and outlives this process.
    shell = subprocess.run(
        ["/bin/sh", "-c", 'log=$1; shift; "$@" >"$log" 2>&1 </dev/null & echo $!', "sh", str(log), *command],
        env=variables,
        cwd=private,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        check=True,
    )
    pid = int(shell.stdout)
    return ServerState(
        pid=pid,
        started=started_at(pid) or 0,
        repository=str(repository),
        http_port=http_port,
        grpc_port=grpc_port,
        metrics_port=metrics_port,
        log=str(log),
        private=str(private),
        admin_key=admin_key,
    )


def admin_headers(admin_key: str | None = None) -> dict[str, str]:
    """What a gRPC client sends along to a server that wants its key.

    Args:
        admin_key: see :class:`recsys_serving.triton.state.ServerState`; None: that of the environment variable
            :data:`ADMIN_KEY_VARIABLE`, if there is one.
    """
    key = admin_key or os.environ.get(ADMIN_KEY_VARIABLE)
    return {f"triton-grpc-protocol-{ADMIN_HEADER}": key} if key else {}


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


def _waited(state: ServerState, timeout_seconds: float) -> str | None:
    """Wait until the server is ready; what went wrong where it does not become so."""
    end = time.monotonic() + timeout_seconds
    while time.monotonic() < end:
        if not state.is_running:
            return "ended before it was ready"
        if is_ready(state):
            return None
        time.sleep(0.1)
    return f"was not ready after {timeout_seconds:g} seconds"


def is_ready(state: ServerState) -> bool:
    """Whether the server answers, which it does once all models were loaded at its start."""
    connection = http.client.HTTPConnection(ADDRESS, state.http_port, timeout=5)
    try:
        # A connection that is kept open would make the server wait for it when it is told to stop.
        connection.request("GET", "/v2/health/ready", headers={"Connection": "close"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _last_lines(log: Path) -> str:
    """The last lines of the server that say what is wrong, or else simply the last ones."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "(none)"
    telling = [line for line in lines if _WORTH_SHOWING.search(line)]
    return "\n".join((telling or lines)[-SHOWN_LINES:])
