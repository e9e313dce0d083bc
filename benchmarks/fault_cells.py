"""The cells of the fault matrix: what is away and how, what is expected, and what is seen."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
import psycopg
from fault_servers import Api, Servers, eventually
from recsys_serving.settings import to_environment

from tests.serving.faults.tcp_proxy import Fault

#: Rounds of a list and an interaction by each client while the fault is there, and after it.
ROUNDS, CLIENTS = 8, 2
#: Seconds that a client waits for an answer, and that the service may take to be as before.
_CLIENT_SECONDS, _RECOVERY_SECONDS = 30, 120
#: What lists may wait for: more than usual, so that a busy machine is no fault, and less than the slowest server takes.
PATIENCE = {"deadline_seconds": 3, "store_timeout_seconds": 1, "runtime_timeout_seconds": 1}
#: Bytes of a text that fills the spool.
_LARGE = 3_000


@dataclass
class Answers:
    """What clients got.

    Args:
        lists: number of answers by status and what they had to do without.
        writes: number by status.
        acknowledged: ids of interactions.
    """

    lists: Counter[str] = field(default_factory=Counter)
    writes: Counter[str] = field(default_factory=Counter)
    acknowledged: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = [", ".join(f"{name} ({number})" for name, number in sorted(seen.items())) for seen in self._parts()]
        return f"lists {told[0]}; writes {told[1]}"

    def are(self, lists: set[str], writes: set[str]) -> bool:
        """Whether all answers are of these kinds."""
        return set(self.lists) <= lists and set(self.writes) <= writes

    def _parts(self) -> tuple[Counter[str], Counter[str]]:
        return self.lists, self.writes


@dataclass(frozen=True)
class Seen:
    """What was seen in a cell."""

    during: str
    after: str
    lost: int
    is_right: bool


@dataclass(frozen=True)
class Cell:
    """One fault.

    Args:
        name: what is away, and how.
        servers: that are made faulty.
        api: that is asked.
        begin: makes the fault; what it returns of answers is looked for in the store as well.
        end: takes it away.
        lists: kinds of answers to expect: status and what they do without.
        writes: statuses to expect.
        text: of interactions, to make them long.
        also: looked at while the fault is there; says what is wrong, or nothing.
    """

    name: str
    servers: Servers
    api: Api
    begin: Callable[[], object]
    end: Callable[[], object]
    lists: set[str]
    writes: set[str]
    text: str = ""
    also: Callable[[], str] = str

    @property
    def expected_during(self) -> str:
        """For the table."""
        return f"lists {' or '.join(sorted(self.lists))}; writes {' or '.join(sorted(self.writes))}"

    expected_after = "lists 200; writes 201"

    def run(self) -> Seen:
        """Make the fault, look, take it away, look again."""
        ask(self.api, rounds=1)  # connections are open, the key is known
        begun = self.begin()
        earlier = begun.acknowledged if isinstance(begun, Answers) else []
        during = ask(self.api, ROUNDS, self.text)
        wrong = self.also()
        self.end()
        recovered = eventually(self._has_recovered, _RECOVERY_SECONDS)
        after = ask(self.api, ROUNDS)
        lost = self._lost([*earlier, *during.acknowledged, *after.acknowledged])
        is_right = recovered and during.are(self.lists, self.writes) and after.are({"200"}, {"201"}) and not lost
        is_right &= not wrong
        return Seen(
            f"{during}; {wrong}" if wrong else str(during),
            str(after) if recovered else f"not as before: {after}",
            lost,
            is_right,
        )

    def _has_recovered(self) -> bool:
        with self.api.client(5) as client:
            waiting = [line for line in client.get("/metrics").text.splitlines() if line.startswith("recsys_spool_com")]
            # Of somebody new, as a list that is kept asks nobody.
            asked = client.get(f"/v1/users/{uuid4().hex}/recommendations", params={"k": 3}).json()
            ready = client.get("/readyz").json()
        is_up = all(one["status"] == "up" for one in ready["dependencies"].values())
        return is_up and waiting == ["recsys_spool_commands 0.0"] and not asked["degraded"]

    def _lost(self, events: list[str]) -> int:
        with psycopg.connect(self.servers.direct_url) as connection:
            found = connection.execute(
                "SELECT event_id, count(*) FROM interactions WHERE event_id = ANY(%s) GROUP BY 1", [events]
            ).fetchall()
        return len(events) - sum(number == 1 for _, number in found)


def ask(api: Api, rounds: int, text: str = "") -> Answers:
    """What two clients get who ask for lists and send interactions in turn."""
    answers, lock = Answers(), threading.Lock()
    clients = [threading.Thread(target=_ask, args=(api, rounds, text, answers, lock)) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return answers


def _ask(api: Api, rounds: int, text: str, answers: Answers, lock: threading.Lock) -> None:
    with api.client(_CLIENT_SECONDS) as client:
        for _ in range(rounds):
            event = {"event_id": uuid4().hex, "user_id": uuid4().hex, "item_id": "1", "type": "view"}
            if text:
                event["properties"] = {"text": text}  # type: ignore[assignment]
            shown, written = "no answer", "no answer"
            with suppress(httpx.HTTPError):
                answer = client.get(f"/v1/users/{uuid4().hex}/recommendations", params={"k": 5})
                without = ", ".join(answer.json().get("degraded", []))
                shown = f"{answer.status_code} without {without}" if without else f"{answer.status_code}"
            with suppress(httpx.HTTPError):
                written = str(client.post("/v1/interactions", json=event).status_code)
            with lock:
                answers.lists[shown] += 1
                answers.writes[written] += 1
                if written in ("200", "201", "202"):
                    answers.acknowledged.append(str(event["event_id"]))


def cells(servers: Servers, api: Api) -> Iterator[Cell]:
    """All faults from which the service goes on."""

    def restarted(proxy_fault: Callable[[], object]) -> None:
        api.stop()
        proxy_fault()
        api.start()

    no_store, no_cache = {"200", "200 without store"}, {"200", "200 without cache"}
    faults = {
        "lost under load": Fault.REFUSE,
        "closes connections": Fault.DROP,
        "errors: answers are cut": Fault.CUT,
        "slow, 2 s": Fault.DELAY,
        "swallows everything": Fault.BLACK_HOLE,
    }
    for how, fault in faults.items():
        writes = {"202"} if fault in (Fault.REFUSE, Fault.DROP) else {"201", "202"}
        yield Cell(
            f"PostgreSQL {how}",
            servers,
            api,
            lambda fault=fault: servers.store.make(fault),  # type: ignore[misc]
            lambda: servers.store.make(Fault.PASS),
            no_store,
            writes,
        )
    yield Cell(
        "PostgreSQL killed, started again",
        servers,
        api,
        servers.kill_postgres,
        servers.start_postgres,
        no_store,
        {"202"},
    )
    for how, fault in faults.items():
        yield Cell(
            f"Redis {how}",
            servers,
            api,
            lambda fault=fault: servers.redis.make(fault),  # type: ignore[misc]
            lambda: servers.redis.make(Fault.PASS),
            no_cache,
            {"201"},
        )
    yield Cell("Redis killed, started again", servers, api, servers.kill_redis, servers.start_redis, no_cache, {"201"})
    yield Cell(
        "PostgreSQL away at start",
        servers,
        api,
        lambda: restarted(lambda: servers.store.make(Fault.REFUSE)),
        lambda: servers.store.make(Fault.PASS),
        {"200 without store"},
        {"202"},
    )
    yield Cell(
        "Redis away at start",
        servers,
        api,
        lambda: restarted(lambda: servers.redis.make(Fault.REFUSE)),
        lambda: servers.redis.make(Fault.PASS),
        no_cache,
        {"201"},
    )
    gone = api.bundle.with_name("gone")
    yield Cell(
        "files of the bundle lost under load",
        servers,
        api,
        lambda: api.bundle.rename(gone),
        lambda: gone.rename(api.bundle),
        {"200"},
        {"201"},
    )
    yield from _full_spool(servers, api)


def _full_spool(servers: Servers, api: Api) -> Iterator[Cell]:
    def fill() -> Answers:
        servers.store.make(Fault.REFUSE)
        return ask(api, 400, "x" * _LARGE)  # until there is no more room

    yield Cell(
        "PostgreSQL away and the spool full",
        servers,
        api,
        fill,
        lambda: servers.store.make(Fault.PASS),
        {"200 without store"},
        {"503"},
        "x" * _LARGE,
    )


def closed_cells(api: Api) -> Iterator[str]:
    """Rows of the faults with which the service does not start, and says why."""
    api.stop()
    gone = api.bundle.with_name("gone")
    api.bundle.rename(gone)
    yield _closed("bundle away at start", api, "BundleError")
    gone.rename(api.bundle)
    _remove_spool(api)  # nothing waits in it
    api.installation.spool.write_bytes(b"not a spool" * 1000)
    yield _closed("spool damaged at start", api, "SpoolError")
    _remove_spool(api)


def _remove_spool(api: Api) -> None:
    for file in api.installation.spool.parent.glob(f"{api.installation.spool.name}*"):
        file.unlink()


def _closed(name: str, api: Api, error: str) -> str:
    command = [sys.executable, "-m", "recsys_serving.local.server", "127.0.0.1", "0"]
    environment = os.environ | to_environment(api.settings) | {"PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        says_so = error in done.stderr + done.stdout
        told = f"ends with status {done.returncode} and {error if says_so else 'something else'}"
        is_right = done.returncode != 0 and says_so
    except subprocess.TimeoutExpired:
        told, is_right = "goes on", False
    return f"| {name} | ends and says {error} | {told} | | | 0 | {'yes' if is_right else '**no**'} |"
