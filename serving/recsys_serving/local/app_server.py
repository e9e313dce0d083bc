"""The user interface of the service on this machine, in the background: a Streamlit server.

Nothing of the app is imported. It is a program beside the service, which finds the service by the files in ``var``.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from recsys.cli.whole_files import whole_file
from recsys.errors import ServingError
from recsys_serving.local.free_port import free_port
from recsys_serving.local.installation import Installation
from recsys_serving.triton.state import started_at

STATE = "app.json"

#: Where the app is looked for first; another port is taken where this one is not free.
USUAL_PORT = 8501

#: Seconds that the app has to end before it is killed.
_STOP_SECONDS = 10.0

_SHOWN_LINES = 12
#: What would lead the app to another service than that of its installation.
_OTHER_SERVICE = ("RECSYS_API_URL", "RECSYS_API_KEY")


@dataclass(frozen=True, slots=True)
class AppState:
    """An app that was started.

    Args:
        pid: its process.
        started: when that started, in ticks since the machine did: tells it from a later one with its number.
        host: where it listens.
        port: where it listens.
        log: what it writes.
    """

    pid: int
    started: int
    host: str
    port: int
    log: str

    @property
    def is_running(self) -> bool:
        """Whether the process is still there."""
        return started_at(self.pid) == self.started

    @property
    def url(self) -> str:
        """Where this machine's browser reaches it."""
        host = "127.0.0.1" if self.host == "0.0.0.0" else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def save(self, directory: Path) -> None:
        """Write the state file into ``directory``, whole or not at all."""
        with whole_file(directory / STATE) as partial:
            partial.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")


def running_app(installation: Installation) -> AppState | None:
    """The app that runs for an installation; None where none does, whatever its file says."""
    try:
        state = AppState(**json.loads((installation.directory / STATE).read_text(encoding="utf-8")))
    except (OSError, json.JSONDecodeError, TypeError):
        return None
    return state if state.is_running else None


def start_app(
    installation: Installation,
    program: Path,
    host: str = "127.0.0.1",
    port: int | None = None,
    timeout_seconds: float = 60.0,
) -> AppState:
    """Start the app of an installation, and wait until its page answers.

    Args:
        installation: of the service that it shows.
        program: ``main.py`` of the app; it runs where Streamlit's settings are, beside the directory of the program.
        host: where it listens.
        port: where it listens; None: the usual one, or else a free one.
        timeout_seconds: that it may take.

    Returns:
        The app, which may have run before.

    Raises:
        ServingError: it does not start, with its last lines; nothing is left running.
    """
    running = running_app(installation)
    if running is not None:
        return running
    installation.app_log.parent.mkdir(parents=True, exist_ok=True)
    state = _launched(installation, program, host, _usual_port(host) if port is None else free_port(host, port))
    state.save(installation.directory)
    failure = _wait(state, timeout_seconds)
    if failure is not None:
        stop_app(installation)
        raise ServingError(f"The app {failure}. Its last lines, from {state.log}:\n{_last_lines(installation.app_log)}")
    return state


def stop_app(installation: Installation) -> bool:
    """Stop the app of an installation.

    Returns:
        Whether it ran.
    """
    state = running_app(installation)
    if state is not None:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.kill(state.pid, sign)
            end = time.monotonic() + _STOP_SECONDS
            while state.is_running and time.monotonic() < end:
                time.sleep(0.05)
    (installation.directory / STATE).unlink(missing_ok=True)
    return state is not None


def page_answers(state: AppState) -> bool:
    """Whether the app gives its page."""
    connection = http.client.HTTPConnection(state.url.removeprefix("http://"), timeout=5)
    try:
        for path in ("/_stcore/health", "/"):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            if answer.status != http.HTTPStatus.OK:
                return False
        return True
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _usual_port(host: str) -> int:
    try:
        return free_port(host, USUAL_PORT)
    except ServingError:
        return free_port(host)


def _launched(installation: Installation, program: Path, host: str, port: int) -> AppState:
    """An app that was just started, ready or not."""
    settings = ["--server.address", host, "--server.port", str(port), "--server.headless", "true"]
    command = [sys.executable, "-m", "streamlit", "run", str(program.absolute()), *settings]
    environment = {name: value for name, value in os.environ.items() if name not in _OTHER_SERVICE}
    # A shell starts it and ends, so that it is nobody's child and outlives this process.
    in_background = 'log=$1; shift; "$@" >"$log" 2>&1 </dev/null & echo $!'
    shell = subprocess.run(
        ["/bin/sh", "-c", in_background, "sh", str(installation.app_log), *command],
        env=environment | {"RECSYS_VAR": str(installation.directory)},
        cwd=program.absolute().parents[1],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        check=True,
    )
    pid = int(shell.stdout)
    return AppState(pid, started_at(pid) or 0, host, port, str(installation.app_log))


def _wait(state: AppState, timeout_seconds: float) -> str | None:
    """Wait until the page answers; what went wrong where it does not come to it."""
    end = time.monotonic() + timeout_seconds
    while time.monotonic() < end:
        if not state.is_running:
            return "ended before it was ready"
        if page_answers(state):
            return None
        time.sleep(0.1)
    return f"was not ready after {timeout_seconds:g} seconds"


def _last_lines(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "(none)"
    return "\n".join(line[:500] for line in lines[-_SHOWN_LINES:]) or "(none)"
