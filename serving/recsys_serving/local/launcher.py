"""Starts and stops the service with all it needs, in the background, with its files below ``var``.

Servers without a URL are started here: PostgreSQL and Redis from wheels. A database that is away, this one or another,
is no obstacle: the service starts with what is known without it, and the store is made ready once it is back. What was
killed is none either: a later start or stop finds the processes that are left, and ends them.
"""

from __future__ import annotations

import http.client
import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import SecretStr

from recsys.errors import ServingError
from recsys.runtime.manifest import Manifest
from recsys_serving.api.observability.metrics import MULTIPROCESS_VARIABLE
from recsys_serving.local.background_server import last_lines, start_in_background
from recsys_serving.local.embedded_postgres import expected_url, require_postgres, start_postgres, stop_postgres
from recsys_serving.local.embedded_redis import start_redis, stop_redis
from recsys_serving.local.first_start import PreparedStore, data_of, prepare_store, store_while_away
from recsys_serving.local.free_port import free_port
from recsys_serving.local.installation import Installation
from recsys_serving.local.service_state import START_VARIABLE, STATE, ServiceState, read_service_state
from recsys_serving.local.store_keeper import StoreTask
from recsys_serving.settings import ServiceSettings, to_environment
from recsys_serving.store.errors import StoreUnavailable
from recsys_serving.triton.state import started_at

#: Seconds beyond its own time that the service has to end before it is killed.
_LONGER_SECONDS = 10.0

#: Times that a port is looked for, where one that was free is taken by another before the service has it.
_ATTEMPTS = 3

_TAKEN = "address already in use"


def start(
    settings: ServiceSettings,
    data: Path | None = None,
    timeout_seconds: float = 120.0,
    say: Callable[[str], None] = lambda text: None,
) -> tuple[ServiceState, str]:
    """Start everything, and wait until it answers.

    Args:
        settings: of the installation.
        data: a prepared directory whose interactions and items the store gets, once; None: that of the bundle's run.
        timeout_seconds: that the workers may take to open the bundle.
        say: told what is done.

    Returns:
        The service, which may have run before, and its first API key.

    Raises:
        ServingError: something does not start, with its last lines; what was started is stopped again.
        BundleError: there is no bundle.
    """
    installation = Installation.of(settings)
    installation.log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(installation.directory / "start.lock", timeout=0):
            running = read_service_state(installation.directory)
            if running is not None and running.is_running:
                return running, installation.api_key.read_text(encoding="utf-8").strip()
            _end_leftovers(installation, running)
            manifest = Manifest.read(settings.bundle)  # before anything is started
            try:
                complete = _with_servers(settings, installation, say)
                prepared, is_there = _prepared(complete, installation, data, say)
                if prepared.has_histories:
                    complete = complete.model_copy(update={"bundle_histories": False})
                own = data or data_of(manifest)  # the run of a bundle may be named from here
                task = StoreTask(settings.database_url is None, is_there, None if own is None else str(own.absolute()))
                say("workers")
                return _start_workers(complete, installation, timeout_seconds, task), prepared.key
            except BaseException:  # whoever does not wait does not want it
                _stop(installation, settings.shutdown_timeout_seconds)
                raise
    except Timeout:
        raise ServingError(f"The service is being started in {installation.directory} already. Wait for it.") from None


def stop(settings: ServiceSettings) -> bool:
    """Stop everything that was started: workers, then Redis, then PostgreSQL.

    Returns:
        Whether anything ran.
    """
    installation = Installation.of(settings)
    if not installation.directory.is_dir():
        return False
    return _stop(installation, settings.shutdown_timeout_seconds)


def answers(state: ServiceState) -> bool:
    """Whether a service is ready, see ``/readyz``."""
    connection = http.client.HTTPConnection(state.url.removeprefix("http://"), timeout=5)
    try:
        connection.request("GET", "/readyz", headers={"Connection": "close"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _with_servers(settings: ServiceSettings, installation: Installation, say: Callable[[str], None]) -> ServiceSettings:
    """The settings with the addresses of the servers that are started for them."""
    addresses = {}
    if settings.database_url is None:
        _require_embedded(settings, "database_url")
        require_postgres()
        say("PostgreSQL")
        try:
            url = start_postgres(installation.postgres)
        except ServingError as error:
            say(f"{error} It is tried again while the service runs.")
            url = expected_url(installation.postgres)
        addresses["database_url"] = SecretStr(url)
    if settings.redis_url is None:
        _require_embedded(settings, "redis_url")
        say("Redis")
        addresses["redis_url"] = SecretStr(start_redis(installation.redis, settings.cache_max_bytes))
    return settings.model_copy(update=addresses | {"var": installation.directory, "bundle": settings.bundle.absolute()})


def _prepared(
    settings: ServiceSettings, installation: Installation, data: Path | None, say: Callable[[str], None]
) -> tuple[PreparedStore, bool]:
    """The store, and whether it was there; where it is away, the service starts with what is known without it."""
    has_key = installation.api_key.exists()
    try:
        return prepare_store(settings, installation, data, say), True
    except StoreUnavailable as error:
        say(f"no store: {error}")
    say("lists come from the bundle, and changes wait in the spool; tables, key and data are made once it is back")
    if not has_key and not installation.known_keys.exists():
        say(f"the first key counts without the store for {settings.key_grace_seconds:,g} seconds; then it gets 503")
    return store_while_away(settings, installation), False


def _require_embedded(settings: ServiceSettings, name: str) -> None:
    if not settings.wants_embedded:
        raise ServingError(f"{name} is required, because embedded_servers is false: set RECSYS_{name.upper()}.")


def _start_workers(
    settings: ServiceSettings, installation: Installation, timeout_seconds: float, task: StoreTask
) -> ServiceState:
    for attempt in range(1, _ATTEMPTS + 1):
        port = free_port(settings.host, settings.port)
        state = _launch(settings, installation, port, task)
        state.save(installation.directory)
        failure = _wait(state, timeout_seconds)
        if failure is None:
            return state
        _end_processes(state, settings.shutdown_timeout_seconds)
        log = last_lines(installation.log)
        if settings.port is not None or _TAKEN not in log or attempt == _ATTEMPTS:
            raise ServingError(f"The service {failure}. Its last lines, from {state.log}:\n{log}")
    raise AssertionError("the last attempt either succeeds or raises")


def _launch(settings: ServiceSettings, installation: Installation, port: int, task: StoreTask) -> ServiceState:
    """A service that was just started, ready or not."""
    shutil.rmtree(installation.metrics, ignore_errors=True)  # numbers of processes that have ended
    installation.metrics.mkdir(parents=True)
    token = secrets.token_hex(16)
    own = {
        START_VARIABLE: token,
        MULTIPROCESS_VARIABLE: str(installation.metrics),
        # The packages of a checkout are found where this process finds them.
        "PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),  # requests are what runs at once
        # Each thread with memory of its own would keep what only it gives back: megabytes more with every hour.
        "MALLOC_ARENA_MAX": os.environ.get("MALLOC_ARENA_MAX", "2"),
    }
    command = [sys.executable, "-m", "recsys_serving.local.server", settings.host, str(port)]
    environment = os.environ | to_environment(settings) | own | task.variables()
    pid = start_in_background(command, installation.log, environment, installation.directory)
    return ServiceState(
        pid=pid,
        started=started_at(pid) or 0,
        host=settings.host,
        port=port,
        log=str(installation.log),
        token=token,
        bundle=str(settings.bundle),
    )


def _wait(state: ServiceState, timeout_seconds: float) -> str | None:
    """Wait until the service answers; what went wrong where it does not come to it."""
    end = time.monotonic() + timeout_seconds
    while time.monotonic() < end:
        if not state.is_running:
            return "ended before it was ready"
        if answers(state):
            return None
        if "Traceback" in (log := last_lines(Path(state.log))) or "Application startup failed" in log:
            return "cannot start"
        time.sleep(0.1)
    return f"was not ready after {timeout_seconds:g} seconds"


def _stop(installation: Installation, timeout_seconds: float) -> bool:
    state = read_service_state(installation.directory)
    was_running = state is not None and _end_processes(state, timeout_seconds)
    was_running |= stop_redis(installation.redis) if installation.redis.is_dir() else False
    was_running |= stop_postgres(installation.postgres) if installation.postgres.is_dir() else False
    (installation.directory / STATE).unlink(missing_ok=True)
    return was_running


def _end_leftovers(installation: Installation, state: ServiceState | None) -> None:
    """End workers that have lost the process which kept them."""
    if state is not None:
        _end_processes(state, timeout_seconds=0.0)
        (installation.directory / STATE).unlink(missing_ok=True)


def _end_processes(state: ServiceState, timeout_seconds: float) -> bool:
    """Ask the service to end, and kill what does not; whether anything ran."""
    if not state.processes():
        return False
    if state.is_running:
        with suppress(ProcessLookupError):
            os.kill(state.pid, signal.SIGTERM)
        end = time.monotonic() + timeout_seconds + _LONGER_SECONDS
        while state.processes() and time.monotonic() < end:
            time.sleep(0.05)
    while left := state.processes():
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    return True
