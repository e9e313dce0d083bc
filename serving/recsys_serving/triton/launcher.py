"""Starts and stops a Triton server on this machine, in the background, with its files below one directory.

What is started is a supervisor (:mod:`recsys_serving.triton.guard`), which starts the server, starts it again where it
ends or does not answer, and checks what comes by HTTP.

::

    .triton/
        venv/            the server's Python environment, kept between starts
        state.json       process, ports, repository: as long as the supervisor runs
        health.json      whether the server answers, how often it was started again and why
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
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from recsys.cli.commands import command_line
from recsys.errors import ServingError
from recsys_serving.triton.guard.health import HEALTH, read_health
from recsys_serving.triton.guard.plan import Plan
from recsys_serving.triton.guard.server_process import remove_shared_memory
from recsys_serving.triton.ports import ADDRESS, Ports
from recsys_serving.triton.server_command import lay_out, server_command, server_variables
from recsys_serving.triton.server_environment import SHOWN_LINES, ServerEnvironment, is_made, server_environment
from recsys_serving.triton.state import STATE, ServerState, read_state, running_server, started_at

LOG = "server.log"

#: Seconds after which a server that was told to stop is killed; its supervisor kills it sooner.
STOP_SECONDS = 25.0

#: Seconds beyond its own time that a supervisor has to say that a server did not become ready.
LONGER_SECONDS = 5.0

#: Times that ports are looked for, where one that was free is taken by another before the server has it.
ATTEMPTS = 3

_TAKEN = re.compile(r"address already in use|failed to start (HTTP|GRPC|Metrics) service", re.IGNORECASE)
_WORTH_SHOWING = re.compile(r"^E\d{4} |error|exception|failed", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Options:
    """How a server is started.

    Args:
        address: of this machine, where HTTP and the metrics listen; 0.0.0.0 is all of them, and then everyone who
            reaches it may ask.
        grpc_address: where gRPC listens, which nothing checks before Triton does; other machines do not reach the usual
            one.
        memory_bytes: that each of its processes may have for itself; None: half of the machine's.
        timeout_seconds: how long the models may take.
    """

    address: str = ADDRESS
    grpc_address: str = ADDRESS
    memory_bytes: int | None = None
    timeout_seconds: float = 120.0

    @property
    def memory_limit(self) -> int:
        """Bytes for each process."""
        return self.memory_bytes or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def start(
    directory: Path,
    repository: Path,
    ports: Ports | None = None,
    python: str | None = None,
    options: Options | None = None,
    say: Callable[[str], None] = lambda text: None,
    environment: Path | None = None,
) -> ServerState:
    """Start a server on a model repository and wait until it answers.

    It loads every model of the repository, and later loads and unloads what it is told (explicit model control).

    Args:
        directory: of the server's files.
        repository: the models.
        ports: where to listen.
        python: the interpreter of the server's environment, see :func:`server_environment`.
        options: address, memory and time.
        say: told what is waited for.
        environment: of the server's Python environment; None: ``venv`` in ``directory``.

    Raises:
        ServingError: a server runs already, the repository has no models, the environment cannot be made, or the
            server ends or does not answer in time; with its last lines.
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
            place = (environment or directory / "venv").absolute()
            say("environment" if is_made(place) else "environment, which is made once and takes some minutes")
            made = server_environment(place, python)
            say("models")
            return _start(directory, repository, made, ports or Ports(), options or Options())
    except Timeout:
        raise ServingError(f"A server is being started in {directory} already. Wait for it.") from None


def _start(
    directory: Path, repository: Path, environment: ServerEnvironment, ports: Ports, options: Options
) -> ServerState:
    for attempt in range(1, ATTEMPTS + 1):
        found = ports.found(options.address, options.grpc_address)
        state = _launched(directory, repository, environment, found, options)
        state.save(directory)
        try:
            failure = _waited(state, options.timeout_seconds + LONGER_SECONDS)
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
    """Stop the server: ask its supervisor to end it, kill both where they do not end, and remove what they leave.

    Returns:
        Whether there was one.
    """
    directory = directory.resolve()
    state = read_state(directory)
    was_running = state is not None and state.is_running
    if state is not None and was_running:
        os.kill(state.pid, signal.SIGTERM)
        _wait_while(lambda: state.is_running, STOP_SECONDS)
        if state.is_running:
            os.kill(state.pid, signal.SIGKILL)
            _wait_while(lambda: state.is_running, STOP_SECONDS)
    _clean(directory, state)
    return was_running


def _clean(directory: Path, state: ServerState | None) -> None:
    """End a server that has lost its supervisor, and remove what one that has ended left behind."""
    health = read_health(directory)
    if health is not None and state is not None:
        _wait_while(lambda: started_at(health.pid) == health.started, STOP_SECONDS)  # it was told by the kernel
        if started_at(health.pid) == health.started:
            os.killpg(health.pid, signal.SIGKILL)  # its models in Python are of its process group
            _wait_while(lambda: started_at(health.pid) == health.started, STOP_SECONDS)
    (directory / STATE).unlink(missing_ok=True)
    (directory / HEALTH).unlink(missing_ok=True)
    for private in directory.glob("start-*"):
        shutil.rmtree(private, ignore_errors=True)
    if state is not None:
        remove_shared_memory(state.private)


def _wait_while(holds: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while holds() and time.monotonic() < end:
        time.sleep(0.05)


def _launched(
    directory: Path, repository: Path, environment: ServerEnvironment, ports: tuple[int, int, int], options: Options
) -> ServerState:
    """A supervisor that was just started, with its server, ready or not."""
    private = Path(tempfile.mkdtemp(prefix="start-", dir=directory))
    http_port, grpc_port, metrics_port = ports
    state = ServerState(
        pid=0,
        started=0,
        repository=str(repository),
        http_port=http_port,
        grpc_port=grpc_port,
        metrics_port=metrics_port,
        log=str(directory / LOG),
        private=str(private),
        admin_key=secrets.token_urlsafe(24),
        address=options.address,
        grpc_address=options.grpc_address,
    )
    lay_out(environment, private)
    plan = Plan(
        command=server_command(environment, private, state),
        variables=server_variables(environment, private),
        repository=str(repository),
        private=str(private),
        directory=str(directory),
        address=options.address,
        http_port=http_port,
        grpc_url=state.grpc_url,
        memory_bytes=options.memory_limit,
        timeout_seconds=options.timeout_seconds,
    )
    command = [sys.executable, "-m", "recsys_serving.triton.guard.supervisor", str(plan.save())]
    # A shell starts it and ends, so that it is nobody's child and outlives this process.
    shell = subprocess.run(
        ["/bin/sh", "-c", 'log=$1; shift; "$@" >"$log" 2>&1 </dev/null & echo $!', "sh", state.log, *command],
        # The packages of a checkout are found where this process finds them.
        env=os.environ | {"PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path)},
        cwd=private,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        check=True,
    )
    pid = int(shell.stdout)
    return replace(state, pid=pid, started=started_at(pid) or 0)


def _waited(state: ServerState, timeout_seconds: float) -> str | None:
    """Wait until the server answers; what went wrong where it does not come to it."""
    end = time.monotonic() + timeout_seconds
    while time.monotonic() < end:
        if not state.is_running:
            return "ended before it was ready"
        if is_ready(state):
            return None
        time.sleep(0.1)
    return f"was not ready after {timeout_seconds:g} seconds"


def is_ready(state: ServerState) -> bool:
    """Whether the server answered the last real question, see :mod:`recsys_serving.triton.guard.question`."""
    connection = http.client.HTTPConnection(state.host, state.http_port, timeout=5)
    try:
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
