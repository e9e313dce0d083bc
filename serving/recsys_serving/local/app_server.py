"""The user interface of the service on this machine, in the background: a Streamlit server.

Nothing of the app is imported. It is a program beside the service, which finds the service by the files in ``var``.
"""

from __future__ import annotations

import http.client
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from recsys.errors import ServingError
from recsys_serving.local.background_server import BackgroundServer, last_lines, start_in_background
from recsys_serving.local.free_port import free_port
from recsys_serving.local.installation import Installation
from recsys_serving.triton.state import started_at

STATE = "app.json"

#: Where the app is looked for first; another port is taken where this one is not free.
USUAL_PORT = 8501

#: Seconds that the app has to end before it is killed.
_STOP_SECONDS = 10.0

#: What would lead the app to another service than that of its installation.
_OTHER_SERVICE = ("RECSYS_API_URL", "RECSYS_API_KEY")


def running_app(installation: Installation) -> BackgroundServer | None:
    """The app that runs for an installation; None where none does, whatever its file says."""
    state = BackgroundServer.read(installation.directory / STATE)
    return state if state is not None and state.is_running else None


def start_app(
    installation: Installation,
    program: Path,
    host: str = "127.0.0.1",
    port: int | None = None,
    timeout_seconds: float = 60.0,
) -> BackgroundServer:
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
    state.write(installation.directory / STATE)
    failure = _wait(state, timeout_seconds)
    if failure is not None:
        stop_app(installation)
        raise ServingError(f"The app {failure}. Its last lines, from {state.log}:\n{last_lines(installation.app_log)}")
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


def page_answers(state: BackgroundServer) -> bool:
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


def _launched(installation: Installation, program: Path, host: str, port: int) -> BackgroundServer:
    """An app that was just started, ready or not."""
    settings = ["--server.address", host, "--server.port", str(port), "--server.headless", "true"]
    command = [sys.executable, "-m", "streamlit", "run", str(program.absolute()), *settings]
    environment = {name: value for name, value in os.environ.items() if name not in _OTHER_SERVICE}
    environment["RECSYS_VAR"] = str(installation.directory)
    pid = start_in_background(command, installation.app_log, environment, program.absolute().parents[1])
    return BackgroundServer(pid, started_at(pid) or 0, host, port, str(installation.app_log))


def _wait(state: BackgroundServer, timeout_seconds: float) -> str | None:
    """Wait until the page answers; what went wrong where it does not come to it."""
    end = time.monotonic() + timeout_seconds
    while time.monotonic() < end:
        if not state.is_running:
            return "ended before it was ready"
        if page_answers(state):
            return None
        time.sleep(0.1)
    return f"was not ready after {timeout_seconds:g} seconds"
