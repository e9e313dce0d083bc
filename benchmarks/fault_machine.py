"""Cells of the fault matrix in which the machine fails: disk, clock, memory, files of bundles."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
from fault_cells import Cell
from fault_servers import Api, Servers, eventually

from tests.serving.faults.tcp_proxy import Fault

#: Where Debian's package libfaketime puts what makes a process believe in another time.
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
#: After which a process looks again how far its clock is off; to look at each call takes most of its time.
OFFSET_SECONDS = 1
#: Bytes of the small disk.
DISK_BYTES = 64_000_000
_KILLED_SECONDS = 60


@contextmanager
def small_disk(directory: Path) -> Iterator[Path]:
    """A disk of its own in memory, mounted at a directory, which root alone can do."""
    directory.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=755", "tmpfs", str(directory)], check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


def disk_cells(servers: Servers, api: Api) -> Iterator[Cell]:
    """No room, and no right to write, while PostgreSQL is away as well; ``api`` has its files on a small disk."""
    ballast = api.installation.directory / "ballast"

    def fill() -> None:
        servers.store.make(Fault.REFUSE)
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)

    def make_room() -> None:
        ballast.unlink()
        servers.store.make(Fault.PASS)

    def forbid() -> None:
        servers.store.make(Fault.REFUSE)
        _limit(api, resource.RLIMIT_FSIZE, 1)

    def allow() -> None:
        _limit(api, resource.RLIMIT_FSIZE, resource.RLIM_INFINITY)
        servers.store.make(Fault.PASS)

    without = {"200 without store"}
    yield Cell("PostgreSQL away and the disk full", servers, api, fill, make_room, without, {"503"})
    yield Cell("PostgreSQL away and no file can be written", servers, api, forbid, allow, without, {"503"})

    def fill_alone() -> None:
        fill()
        servers.store.make(Fault.PASS)

    yield Cell("the disk full", servers, api, fill_alone, ballast.unlink, {"200"}, {"201"})


def clock_cells(servers: Servers, api: Api, offset: Path) -> Iterator[Cell]:
    """The clock of the service jumps while it answers; ``api`` reads how far from a file."""
    page = _Page(api)

    def set_offset(seconds: int) -> None:
        offset.write_text(f"{seconds:+d}\n", encoding="utf-8")
        time.sleep(2 * OFFSET_SECONDS)

    def jump(seconds: int) -> Callable[[], None]:
        def begin() -> None:
            page.ask_first()
            set_offset(seconds)

        return begin

    def jump_without_store(seconds: int) -> Callable[[], None]:
        def begin() -> None:
            jump(seconds)()
            servers.store.make(Fault.REFUSE)

        return begin

    def back() -> None:
        set_offset(0)
        servers.store.make(Fault.PASS)

    for seconds, way in ((-3600, "back"), (3600, "on")):
        name = f"the clock jumps an hour {way}"
        yield Cell(name, servers, api, jump(seconds), back, {"200"}, {"201"}, also=page.follows)
        yield Cell(
            f"{name}, PostgreSQL away",
            servers,
            api,
            jump_without_store(seconds),
            back,
            {"200 without store"},
            {"202"},
            also=page.follows,
        )


def memory_cells(servers: Servers, api: Api) -> Iterator[Cell]:
    """A worker is killed, as Linux does where memory is short, or gets no more memory."""

    def kill_one() -> None:
        first, *_ = _workers(api)
        first.kill()

    # A request on its way in the worker that is killed has no answer; all others do.
    lists, writes = {"200", "no answer"}, {"201", "no answer"}
    yield Cell("a worker killed (SIGKILL)", servers, api, kill_one, lambda: None, lists, writes)
    starved: list[psutil.Process] = []

    def starve() -> None:
        starved[:] = _workers(api)
        for worker in starved:
            with suppress(psutil.Error):
                worker.rlimit(psutil.RLIMIT_AS, (1, resource.RLIM_INFINITY))

    def feed() -> None:
        for worker in _workers(api):
            with suppress(psutil.Error):
                worker.rlimit(psutil.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    poor = {"200", "200 without cache", "200 without runtime", "200 without store", "200 without store, cache"}

    def much() -> str:
        asked = {"requests": [{"user_id": uuid4().hex, "k": 200, "explain": True} for _ in range(50)]}
        with suppress(httpx.HTTPError), api.client() as client:
            status = client.post("/v1/recommendations", json=asked).status_code
            return "" if status == 200 else f"50 long lists {status}"
        return ""  # a worker that cannot go on is started again, and its requests have no answer

    lists = {*poor, "no answer"}
    yield Cell(
        "workers get no more memory (RLIMIT_AS)",
        servers,
        api,
        starve,
        feed,
        lists,
        {"201", "202", "no answer"},
        also=much,
    )


def bundle_cells(servers: Servers, api: Api) -> Iterator[Cell]:
    """The directory of the bundle is removed, and a damaged bundle is to be activated."""
    kept = api.bundle.with_name("kept")

    def remove() -> None:
        shutil.copytree(api.bundle, kept)
        shutil.rmtree(api.bundle)

    def put_back() -> None:
        kept.rename(api.bundle)

    yield Cell("the directory of the bundle removed", servers, api, remove, put_back, {"200"}, {"201"})
    damaged = api.bundle.with_name("damaged")

    def damage() -> None:
        shutil.copytree(api.bundle, damaged)
        largest = max((path for path in damaged.iterdir() if path.is_file()), key=lambda path: path.stat().st_size)
        content = bytearray(largest.read_bytes())
        content[len(content) // 2] ^= 1
        largest.write_bytes(content)

    def is_refused() -> str:
        with api.client() as client:
            answer = client.post("/v1/bundles/damaged/activate")
        return "" if 400 <= answer.status_code < 500 else f"activation {answer.status_code}"

    yield Cell(
        "a damaged bundle to be activated",
        servers,
        api,
        damage,
        lambda: shutil.rmtree(damaged),
        {"200"},
        {"201"},
        also=is_refused,
    )


class _Page:
    """A first page that was asked for, and whether its cursor still leads to the second."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._first: dict[str, object] = {}
        self._user = ""

    def ask_first(self) -> None:
        self._user = uuid4().hex
        self._first = self._ask({})

    def follows(self) -> str:
        try:
            second = self._ask({"cursor": str(self._first["next_cursor"])})
            both = [_items(self._first), _items(second)]
        except (httpx.HTTPError, KeyError) as error:
            return f"no second page ({type(error).__name__})"
        return "" if both[1] and both[0].isdisjoint(both[1]) else "the second page repeats the first"

    def _ask(self, more: dict[str, str]) -> dict[str, object]:
        with self._api.client() as client:
            answer = client.get(f"/v1/users/{self._user}/recommendations", params={"k": "5", **more})
            answer.raise_for_status()
            told: dict[str, object] = answer.json()
            return told


def _items(page: dict[str, object]) -> set[str]:
    items = page["items"]
    assert isinstance(items, list), "a list of items"
    return {str(item["item_id"]) for item in items}


def _workers(api: Api) -> list[psutil.Process]:
    """The processes that answer: those of the service that have its application."""
    parent = psutil.Process(api.pid)
    found: list[psutil.Process] = []

    def are_there() -> bool:
        found[:] = [child for child in parent.children() if _is_worker(child)]
        return len(found) >= api.settings.workers

    eventually(are_there, _KILLED_SECONDS)
    return found or [parent]


def _is_worker(process: psutil.Process) -> bool:
    with suppress(psutil.Error):  # it has just ended
        return "spawn_main" in " ".join(process.cmdline())
    return False


def _limit(api: Api, kind: int, soft: int) -> None:
    parent = psutil.Process(api.pid)
    for process in [parent, *parent.children(recursive=True)]:
        with suppress(psutil.Error, ProcessLookupError):
            resource.prlimit(process.pid, kind, (soft, resource.RLIM_INFINITY))


def clock_environment(offset: Path) -> dict[str, str]:
    """Variables of a process whose clock is off by what a file says; the clock of waits goes on as it is."""
    offset.write_text("+0\n", encoding="utf-8")
    return {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_CACHE_DURATION": f"{OFFSET_SECONDS}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


def can_mount() -> bool:
    """Whether this process may mount a disk in memory."""
    return os.geteuid() == 0 and shutil.which("mount") is not None
