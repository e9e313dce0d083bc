"""How fast what waits in the spool reaches PostgreSQL, and how a service catches up after an outage.

::

    python benchmarks/spool_speed.py --bundle bundles/service --output benchmarks/results/spool_speed.md

First the spool alone: interactions and items drained one at a time and as runs of neighbours, into a PostgreSQL server
whose commits reach the disk. Then a service in a process of its own, to which interactions are posted at a steady rate
while its PostgreSQL is away for a while; posting goes on until nothing waits. In the end every acknowledged interaction
must be stored once.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
from fault_servers import Api, Servers, running_servers
from recsys_serving.spool.applying import apply_command, apply_together
from recsys_serving.spool.commands import SpoolCommand, interaction_command, item_command
from recsys_serving.spool.spool import Spool
from recsys_serving.store.items.records import ItemDraft
from recsys_serving.store.schema.migration import migrate
from recsys_serving.store.store import Store
from recsys_serving.writing.spool_drain import BATCH, STATEMENT_SECONDS
from results_file import write_results

from recsys.studies.benchmark.hardware import hardware_summary

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.serving.faults.tcp_proxy import Fault  # noqa: E402
from tests.serving.store.moments import minutes, watched  # noqa: E402

NUM_USERS, NUM_ITEMS = 1000, 1500
#: What the drain before this page had: one command at a time, a hundred in a transaction.
ONE_BY_ONE = 100


def interactions(number: int, name: str) -> list[SpoolCommand]:
    """Interactions of many users, told apart from others by a name."""
    return [
        interaction_command(
            watched(f"{name}-{n}", f"u{n % NUM_USERS}", f"i{n % NUM_ITEMS}", occurred_at=minutes(n / 60))
        )
        for n in range(number)
    ]


def items(number: int, name: str) -> list[SpoolCommand]:
    """Items to put."""
    return [item_command(ItemDraft(f"{name}-{n}", f"Title {n}", {"year": 1900 + n % 100})) for n in range(number)]


def drained_per_second(store: Store, commands: list[SpoolCommand], directory: Path, together: bool) -> float:
    """Commands a second of one drain."""
    spool = Spool(directory / f"{uuid4().hex}.sqlite3")
    for first in range(0, len(commands), 1000):
        spool.append(commands[first : first + 1000])
    begin = time.perf_counter()
    result = spool.drain(
        partial(apply_command, store),
        batch=BATCH if together else ONE_BY_ONE,
        transaction=lambda: store.transaction(STATEMENT_SECONDS),
        together=partial(apply_together, store) if together else None,
    )
    seconds = time.perf_counter() - begin
    spool.close()
    if (result.applied, result.remaining) != (len(commands), 0):
        raise RuntimeError(f"All {len(commands)} commands were to be carried out; it came to {result}.")
    return len(commands) / seconds


def spool_alone(servers: Servers, number: int, repeats: int) -> str:
    """The table of the drains."""
    migrate(servers.direct_url)
    store = Store.connect(servers.direct_url)
    lines = ["| what waits | one at a time, commands/s | neighbours as one, commands/s |", "|---|---|---|"]
    kinds: dict[str, Callable[[int, str], list[SpoolCommand]]] = {"interactions": interactions, "items": items}
    for kind, made in kinds.items():
        best = {False: 0.0, True: 0.0}
        for repeat in range(repeats):
            for together in best:  # they take turns, so that a change of the machine's pace favours none
                commands = made(number, f"{kind}-{repeat}-{together}")
                found = drained_per_second(store, commands, servers.directory, together)
                best[together] = max(best[together], found)
        lines.append(f"| {number:,} {kind} | {best[False]:,.0f} | {best[True]:,.0f} |")
        print(lines[-1], file=sys.stderr)
    store.close()
    return "\n".join(lines)


class Poster:
    """Posts interactions at a steady rate, from some threads.

    Args:
        api: where to.
        per_second: interactions.
        per_request: of them in each request.
        clients: threads.
    """

    def __init__(self, api: Api, per_second: float, per_request: int, clients: int) -> None:
        self._api, self._per_request, self._clients = api, per_request, clients
        self._wait_seconds = clients * per_request / per_second
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._post, args=(number,)) for number in range(clients)]
        self.statuses: Counter[str] = Counter()
        self.acknowledged: list[str] = []

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _post(self, number: int) -> None:
        due = time.monotonic() + number * self._wait_seconds / self._clients
        with self._api.client() as client:
            while not self._stop.wait(max(0.0, due - time.monotonic())):
                due += self._wait_seconds
                events = [
                    {"event_id": uuid4().hex, "user_id": f"u{hash(uuid4()) % NUM_USERS}", "item_id": "1"}
                    for _ in range(self._per_request)
                ]
                status = "no answer"
                with suppress(httpx.HTTPError):
                    status = str(client.post("/v1/interactions/batch", json={"interactions": events}).status_code)
                with self._lock:
                    self.statuses[status] += len(events)
                    if status in ("200", "202"):
                        self.acknowledged += [event["event_id"] for event in events]


@contextmanager
def running_api(servers: Servers, bundle: Path) -> Iterator[Api]:
    """A service of one worker that answers, and ends in the end."""
    api = Api(servers, bundle)
    try:
        api.start()
        yield api
    finally:
        api.stop()


def waiting(api: Api) -> int:
    """Commands in the spool."""
    spool = Spool(api.installation.spool)
    try:
        return len(spool)
    finally:
        spool.close()


def outage(servers: Servers, bundle: Path, per_second: float, per_request: int, seconds: float) -> str:
    """The sentences on one outage."""
    with running_api(servers, bundle) as api:
        poster = Poster(api, per_second, per_request, clients=4)
        begin = time.monotonic()
        poster.start()
        time.sleep(10)
        servers.store.make(Fault.REFUSE)
        time.sleep(seconds)
        most = waiting(api)
        servers.store.make(Fault.PASS)
        back = time.monotonic()
        while waiting(api) and time.monotonic() - back < 600:
            time.sleep(0.1)
        caught_up = time.monotonic() - back
        left = waiting(api)
        time.sleep(10)
        still, posted = waiting(api), time.monotonic() - begin
        poster.stop()
    with psycopg.connect(servers.direct_url) as connection:
        (stored,) = connection.execute(
            "SELECT count(*) FROM interactions WHERE event_id = ANY(%s)", [poster.acknowledged]
        ).fetchone() or (0,)
    end = f"Nothing waited {caught_up:.1f} s after it was back" if not left else f"{left:,} waited 600 s later"
    return (
        f"{sum(poster.statuses.values()) / posted:,.0f} interactions a second were posted for {posted:.0f} s, "
        f"{per_request} in a request. After {seconds:.0f} s without PostgreSQL {most:,} waited. {end}, while posting "
        f"went on; 10 s later {still:,} waited. Answers, in interactions: "
        f"{', '.join(f'{status}: {number:,}' for status, number in sorted(poster.statuses.items()))}. Of "
        f"{len(poster.acknowledged):,} acknowledged interactions {stored:,} are stored, each once."
    )


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=Path("bundles/service"))
    parser.add_argument("--commands", type=int, default=10_000, help="of each drain")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--per-second", type=float, default=300, help="posted interactions")
    parser.add_argument("--per-request", type=int, default=10)
    parser.add_argument("--outage-seconds", type=float, default=60)
    parser.add_argument("--output", type=Path, default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, running_servers(Path(directory)) as servers:
        table = spool_alone(servers, arguments.commands, arguments.repeats)
        told = outage(servers, arguments.bundle, arguments.per_second, arguments.per_request, arguments.outage_seconds)
    page = (
        f"# The spool: how fast it empties\n\n`python benchmarks/spool_speed.py --bundle {arguments.bundle} --commands "
        f"{arguments.commands} --repeats {arguments.repeats} --per-second {arguments.per_second:g} --per-request "
        f"{arguments.per_request} --outage-seconds {arguments.outage_seconds:g}`; {hardware_summary()}.\n\n"
        f"The spool alone, into a PostgreSQL server of its own, best of {arguments.repeats}; one at a time is a "
        f"transaction of {ONE_BY_ONE}, neighbours a transaction of {BATCH}. Load average of the machine at the end: "
        f"{os.getloadavg()[1]:.0f} on {os.cpu_count()} processors:\n\n{table}\n\n## An outage\n\nA service of "
        f"one worker, PostgreSQL behind a proxy that refuses connections. {told}\n"
    )
    print(page)
    write_results(page, arguments.output)


if __name__ == "__main__":
    main()
