"""A service in processes of its own, with its servers behind proxies that make faults."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
from pydantic import SecretStr
from recsys_serving.api.observability.metrics import MULTIPROCESS_VARIABLE
from recsys_serving.local.embedded_postgres import postgres_status, start_postgres, stop_postgres
from recsys_serving.local.embedded_redis import redis_status, start_redis, stop_redis
from recsys_serving.local.first_start import prepare_store
from recsys_serving.local.free_port import free_port
from recsys_serving.local.installation import Installation
from recsys_serving.settings import ServiceSettings, to_environment

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.serving.faults.tcp_proxy import TcpProxy  # noqa: E402

_RATE = "1000000/second"
_START_SECONDS = 120


@dataclass
class Servers:
    """PostgreSQL and Redis with a proxy before each.

    Args:
        directory: with their data.
        store: the proxy before PostgreSQL.
        redis: the proxy before Redis.
        direct_url: of PostgreSQL without the proxy.
    """

    directory: Path
    store: TcpProxy
    redis: TcpProxy
    direct_url: str

    @property
    def store_url(self) -> str:
        """Of PostgreSQL behind the proxy."""
        return f"postgresql://postgres@127.0.0.1:{self.store.port}/recsys?sslmode=disable&gssencmode=disable"

    @property
    def redis_url(self) -> str:
        """Of Redis behind the proxy."""
        return f"redis://127.0.0.1:{self.redis.port}/0"

    def kill_postgres(self) -> None:
        """SIGKILL, as from a machine without memory."""
        pid = postgres_status(self.directory / "postgres").pid
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def start_postgres(self) -> None:
        """Start it again, which recovers what was committed."""
        start_postgres(self.directory / "postgres")

    def kill_redis(self) -> None:
        """SIGKILL."""
        pid = redis_status(self.directory / "redis").pid
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    def start_redis(self) -> None:
        """Start it again, with nothing in it."""
        start_redis(self.directory / "redis")


@contextmanager
def running_servers(directory: Path) -> Iterator[Servers]:
    """Servers with data below a directory."""
    with ExitStack() as stack:
        url = start_postgres(directory / "postgres")
        stack.callback(stop_postgres, directory / "postgres")
        told = parse_qs(urlsplit(url).query)
        socket = Path(told["host"][0]) / f".s.PGSQL.{told['port'][0]}"
        redis_url = start_redis(directory / "redis")
        stack.callback(stop_redis, directory / "redis")
        redis_socket = Path(urlsplit(redis_url).path)
        store, redis = stack.enter_context(TcpProxy(socket)), stack.enter_context(TcpProxy(redis_socket))
        yield Servers(directory, store, redis, url)


class Api:
    """The service: processes that are started, stopped and killed.

    Args:
        servers: that it depends on.
        bundle: that answers.
        workers: processes.
        variables: further ones of its environment.
        **values: further settings.
    """

    def __init__(
        self,
        servers: Servers,
        bundle: Path,
        workers: int = 1,
        variables: Mapping[str, str] | None = None,
        **values: object,
    ) -> None:
        self._variables = dict(variables or {})
        self.bundle = servers.directory / "bundles" / bundle.resolve().name
        if not self.bundle.exists():  # a copy, whose files may be lost
            shutil.copytree(bundle, self.bundle)
        self.settings = ServiceSettings(
            **{  # type: ignore[arg-type]
                "var": servers.directory / "var",
                "bundle": self.bundle,
                "database_url": SecretStr(servers.store_url),
                "redis_url": SecretStr(servers.redis_url),
                "workers": workers,
                "rate_limit": _RATE,
                "admin_rate_limit": _RATE,
                "failed_login_limit": _RATE,
                **values,
            }
        )
        self.installation = Installation.of(self.settings)
        self.installation.log.parent.mkdir(parents=True, exist_ok=True)
        self.key = prepare_store(self.settings, self.installation, None, lambda text: None).key
        self._port = free_port("127.0.0.1", None)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """Of the process that keeps the workers."""
        assert self._process is not None, "it was started"
        return self._process.pid

    def client(self, timeout_seconds: float = 30) -> httpx.Client:
        """A client with a key of all scopes."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=timeout_seconds)

    def start(self) -> None:
        """Start it, and wait until lists can be answered.

        Raises:
            TimeoutError: it does not come to it.
        """
        self.installation.metrics.mkdir(exist_ok=True)
        own = {
            MULTIPROCESS_VARIABLE: str(self.installation.metrics),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "serving")]),
            "OMP_NUM_THREADS": "1",
        }
        with self.installation.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "recsys_serving.local.server", "127.0.0.1", str(self._port)],
                env=os.environ | to_environment(self.settings) | own | self._variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        with self.client(5) as client:
            if not eventually(lambda: client.get("/readyz").status_code == 200, _START_SECONDS):
                raise TimeoutError(f"The service was not ready; see {self.installation.log}.")

    def stop(self) -> None:
        """Let it end."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, all of its processes."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, how)
            try:
                self._process.wait(timeout=40)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
            self._process = None


def eventually(holds: Callable[[], bool], seconds: float) -> bool:
    """Whether something comes to be so; an answer that does not come means not yet."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(httpx.HTTPError):
            if holds():
                return True
        time.sleep(0.1)
    return False
