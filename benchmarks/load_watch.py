"""What a service takes while it answers: processor time, memory, open files, connections, keys of the cache."""

from __future__ import annotations

import os
import re
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import psutil
import psycopg
import redis
from recsys_serving.local.embedded_postgres import postgres_status
from recsys_serving.local.embedded_redis import redis_status
from recsys_serving.local.installation import Installation
from recsys_serving.local.service_state import ServiceState

#: Groups of processes, in the order of the tables.
GROUPS = ("workers", "PostgreSQL", "Redis", "client")

_LINE = re.compile(r"^(?P<name>[a-z_]+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")


@dataclass(frozen=True, slots=True)
class Sample:
    """One look.

    Args:
        minute: since the first look.
        megabytes: proportional share of memory (PSS), by process: ``worker 1`` and so on, ``PostgreSQL``, ``Redis``.
        open_files: of all workers.
        connections: to PostgreSQL, those of this look not counted.
        keys: in Redis.
        redis_megabytes: that Redis says it uses.
    """

    minute: float
    megabytes: dict[str, float]
    open_files: int
    connections: int
    keys: int
    redis_megabytes: float


class ServiceWatch:
    """Looks at a service that was started with servers of its own.

    Args:
        state: of the service.
        installation: of the service.
    """

    def __init__(self, state: ServiceState, installation: Installation) -> None:
        self._state = state
        database, cache = postgres_status(installation.postgres), redis_status(installation.redis)
        assert database.url is not None and cache.url is not None, "both servers run"
        self._database_url, self._redis_url = database.url, cache.url
        self._postgres, self._redis = database.pid, cache.pid
        self.samples: list[Sample] = []
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def cpu_seconds(self) -> dict[str, float]:
        """Processor time, user and system, of each group of processes since they began."""
        client = os.times()
        return {
            "workers": sum(_cpu(process) for process in self._service()),
            "PostgreSQL": sum(_cpu(process) for process in _tree(self._postgres)),
            "Redis": sum(_cpu(process) for process in _tree(self._redis)),
            "client": client.user + client.system,
        }

    def look(self, begun: float) -> Sample:
        """One look now."""
        workers = [process for process in self._service() if _megabytes([process]) > 100]
        megabytes = {f"worker {number}": _megabytes([one]) for number, one in enumerate(workers, start=1)}
        megabytes |= {"PostgreSQL": _megabytes(_tree(self._postgres)), "Redis": _megabytes(_tree(self._redis))}
        with psycopg.connect(self._database_url) as connection:
            query = "SELECT count(*) - 1 FROM pg_stat_activity WHERE backend_type = 'client backend'"
            connections = int(connection.execute(query).fetchone()[0])  # type: ignore[index]
        with redis.Redis.from_url(self._redis_url) as client:
            keys: Any = client.dbsize()
            information: Any = client.info("memory")
        return Sample(
            (time.monotonic() - begun) / 60,
            megabytes,
            sum(process.num_fds() for process in workers),
            connections,
            int(keys),
            information["used_memory"] / 1e6,
        )

    def begin(self, every_seconds: float) -> None:
        """Look every so often, in a thread."""
        begun = time.monotonic()
        self._done.clear()

        def work() -> None:
            self.samples.append(self.look(begun))
            while not self._done.wait(every_seconds - (time.monotonic() - begun) % every_seconds):
                self.samples.append(self.look(begun))

        self._thread = threading.Thread(target=work, name="watch", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Look no more."""
        self._done.set()
        if self._thread is not None:
            self._thread.join()

    def owners(self, port: int) -> dict[int, int]:
        """The process that has each connection of a port of this machine: port of the client -> process."""
        inodes = {}
        for process in self._service():
            with suppress(OSError):
                for name in os.listdir(f"/proc/{process.pid}/fd"):
                    with suppress(OSError):
                        inodes[os.readlink(f"/proc/{process.pid}/fd/{name}")] = process.pid
        found = {}
        with open("/proc/net/tcp", encoding="ascii") as lines:
            for line in list(lines)[1:]:
                fields = line.split()
                local, remote = (int(address.rpartition(":")[2], 16) for address in fields[1:3])
                if local == port and (owner := inodes.get(f"socket:[{fields[9]}]")) is not None:
                    found[remote] = owner
        return found

    def empty_cache(self) -> None:
        """Let Redis forget everything."""
        with redis.Redis.from_url(self._redis_url) as client:
            client.flushdb()

    def metrics(self) -> dict[str, float]:
        """Numbers of ``/metrics``: ``name{labels}`` -> value."""
        read = {}
        for line in httpx.get(f"{self._state.url}/metrics", timeout=30).text.splitlines():
            if (found := _LINE.match(line)) is not None:
                labels = found["labels"]
                read[found["name"] + (f"{{{labels}}}" if labels else "")] = float(found["value"])
        return read

    def _service(self) -> list[psutil.Process]:
        return _processes(self._state.processes())


def slope_an_hour(minutes: list[float], values: list[float]) -> float:
    """By how much values grow in an hour, by least squares."""
    return 60 * float(np.polyfit(minutes, values, 1)[0]) if len(values) > 1 else 0.0


def _tree(pid: int | None) -> list[psutil.Process]:
    with suppress(psutil.Error):
        if pid is not None:
            parent = psutil.Process(pid)
            return [parent, *parent.children(recursive=True)]
    return []


def _processes(pids: list[int]) -> list[psutil.Process]:
    found = []
    for pid in pids:
        with suppress(psutil.Error):
            found.append(psutil.Process(pid))
    return found


def _cpu(process: psutil.Process) -> float:
    """Of a process and of its children that have ended."""
    with suppress(psutil.Error):
        times = process.cpu_times()
        return times.user + times.system + times.children_user + times.children_system
    return 0.0


def _megabytes(processes: list[psutil.Process]) -> float:
    """Proportional share of memory: what processes have in common counts once in all."""
    total = 0
    for process in processes:
        with suppress(psutil.Error):
            total += process.memory_full_info().pss
    return total / 1e6
