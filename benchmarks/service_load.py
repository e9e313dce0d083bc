"""The real-time service under load: latency at a fixed rate, the largest throughput, and what it takes over time.

::

    python benchmarks/service_load.py --bundle bundles/NAME --output benchmarks/results/service_load.md

The service is started as ``scripts/serve.py`` starts it, with servers of its own in a temporary directory, and with the
data of the bundle's run in its store. At a fixed rate requests are sent at the moments of a Poisson process, whatever
became of those before (an open loop), and the time of each counts from the moment at which it was due. The largest
throughput is that of clients which ask again as soon as they have an answer (a closed loop). The client is one thread
on the same machine. ``--phases`` chooses what is measured.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from load_client import LoadClient, LoadRequest, LoadResult
from load_pages import Phase, cpu_table, draw_soak, latency_table, soak_table, stage_table, throughput_table
from load_requests import RequestMaker, poisson
from load_watch import ServiceWatch
from recsys_serving.local.installation import Installation
from recsys_serving.local.launcher import start, stop
from recsys_serving.settings import read_settings
from results_file import write_results

from recsys.runtime.bundle import Bundle
from recsys.runtime.manifest import Manifest
from recsys.studies.benchmark.hardware import hardware_summary

PHASES = ("latency", "throughput", "soak")

#: Beyond what any client here asks.
_RATE_LIMIT = "600000/minute"

_WARM_UP_REQUESTS = 300

#: Connections that each worker has at least, and how often they are opened until it is so.
_FEWEST_CONNECTIONS, _ATTEMPTS = 4, 50


class LoadTest:
    """A service that runs, and a client of it.

    Args:
        bundle: that answers.
        directory: of the service's files.
        workers: processes that answer.
    """

    def __init__(self, bundle: Path, directory: Path, workers: int) -> None:
        self.workers = workers
        self._settings = read_settings(bundle=bundle.absolute(), var=directory, workers=workers, rate_limit=_RATE_LIMIT)
        state, key = start(self._settings, say=lambda text: print(f"service: {text}", flush=True))
        self.watch = ServiceWatch(state, Installation.of(self._settings))
        address = urlsplit(state.url)
        assert address.hostname is not None and address.port is not None, "the launcher has chosen them"
        self.client = self._spread_client(address.hostname, address.port)
        opened = Bundle.open(bundle)
        self.requests = RequestMaker(
            address.netloc, key, opened.user_vocabulary.ids.to_pylist(), opened.item_vocabulary.ids.to_pylist()
        )
        for number in (1, 8):
            self.client.run_closed(islice(self.requests.uncached(), _WARM_UP_REQUESTS), number, 60.0)

    def _spread_client(self, host: str, port: int) -> LoadClient:
        """A client that has as many connections to each worker; whoever is quickest takes one that comes by itself."""
        for _ in range(_ATTEMPTS):
            client = LoadClient((host, port), num_connections=16 * self.workers)
            time.sleep(0.5)  # until they are taken
            spread = client.spread(self.watch.owners(port).get)
            if len(spread) == self.workers and min(spread.values()) >= _FEWEST_CONNECTIONS:
                print(f"connections of each worker: {list(spread.values())}", flush=True)
                return client
            client.close()
        raise RuntimeError(f"No worker takes {_FEWEST_CONNECTIONS} connections beside the others: {spread}.")

    def open_loop(self, name: str, requests: Iterator[LoadRequest], rate: float, seconds: float) -> Phase:
        """Requests at a fixed rate."""
        dues = list(poisson(rate, seconds))
        return self._phase(name, rate, lambda: self.client.run_open(requests, iter(dues)))

    def closed_loop(self, name: str, requests: Iterator[LoadRequest], num_clients: int, seconds: float) -> Phase:
        """As many requests as clients that do not rest can ask."""
        return self._phase(
            f"{name}, {num_clients} clients", None, lambda: self.client.run_closed(requests, num_clients, seconds)
        )

    def close(self) -> None:
        """Stop the service."""
        self.client.close()
        stop(self._settings)

    def _phase(self, name: str, rate: float | None, load: Callable[[], LoadResult]) -> Phase:
        metrics, cpu = self.watch.metrics(), self.watch.cpu_seconds()
        result = load()
        used = {group: seconds - cpu[group] for group, seconds in self.watch.cpu_seconds().items()}
        grown = {key: value - metrics.get(key, 0.0) for key, value in self.watch.metrics().items()}
        phase = Phase(name, self.workers, rate, result, used, grown)
        lines = latency_table([phase]) if rate is not None else throughput_table([phase])
        print("\n".join([*lines[2:], *cpu_table([phase])[2:]]), flush=True)
        return phase


def measure(arguments: argparse.Namespace, workers: int, directory: Path) -> tuple[list[Phase], list[Phase], LoadTest]:
    """What the arguments ask for, with a number of workers; loads at a fixed rate, throughput, and the test."""
    test = LoadTest(arguments.bundle, directory, workers)
    fixed, largest = [], []
    try:
        if "latency" in arguments.phases:
            fixed.append(test.open_loop("lists", test.requests.uncached(), arguments.rate, arguments.seconds))
        if "throughput" in arguments.phases:
            for number in arguments.clients:
                test.watch.empty_cache()
                requests = test.requests.uncached()
                largest.append(test.closed_loop("not cached", requests, number, arguments.closed_seconds))
            for number in arguments.clients:
                known = test.requests.cached(arguments.cached_users)
                test.client.run_closed(islice(known, arguments.cached_users), number, 60.0)
                largest.append(test.closed_loop("cached", known, number, arguments.closed_seconds))
        if "soak" in arguments.phases and workers == max(arguments.workers):
            test.watch.empty_cache()
            test.watch.begin(arguments.look_seconds)
            requests = test.requests.mixed(arguments.posted)
            fixed.append(test.open_loop("soak", requests, arguments.rate, 60 * arguments.soak_minutes))
            test.watch.end()
    finally:
        test.close()
    return fixed, largest, test


def report(arguments: argparse.Namespace, fixed: list[Phase], largest: list[Phase], test: LoadTest) -> str:
    """The page."""
    manifest = Manifest.read(arguments.bundle)
    ranked = "" if manifest.ranker is None else f", ranked by {manifest.ranker.model} from {manifest.num_candidates}"
    lines = [
        "# The real-time service under load",
        "",
        f"{manifest.retriever.model}{ranked} on {manifest.data.name} ({manifest.data.num_users:,} users, "
        f"{manifest.data.num_items:,} items), histories in PostgreSQL, lists in Redis, all of it and the client on one "
        f"machine. {hardware_summary()}.",
    ]
    if fixed:
        lines += ["", "## Latency at a fixed rate, milliseconds", "", *latency_table(fixed)]
    if largest:
        lines += ["", "## Largest throughput", "", *throughput_table(largest)]
    lines += ["", "## Processor time of an answer, milliseconds", "", *cpu_table([*fixed, *largest])]
    for phase in fixed:
        lines += ["", f"## Where the time goes: {phase.name}, {phase.workers} workers", "", *stage_table(phase)]
    if test.watch.samples:
        lines += ["", "## Over the time", "", *soak_table(test.watch.samples, arguments.rows_every)]
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure, print, and write where ``--output`` says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=PHASES)
    parser.add_argument("--workers", type=int, nargs="+", default=[2], help="processes; one service after the other")
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second at the fixed rate")
    parser.add_argument("--seconds", type=float, default=180.0, help="at the fixed rate, lists alone")
    parser.add_argument("--clients", type=int, nargs="+", default=[4, 16], help="of the closed loop")
    parser.add_argument("--closed-seconds", type=float, default=20.0)
    parser.add_argument("--cached-users", type=int, default=500, help="whose lists are in the cache")
    parser.add_argument("--soak-minutes", type=float, default=20.0)
    parser.add_argument("--posted", type=float, default=0.2, help="share of interactions in the soak")
    parser.add_argument("--look-seconds", type=float, default=60.0, help="between two looks of the soak")
    parser.add_argument("--rows-every", type=int, default=2, help="looks that make a row of the table")
    parser.add_argument("--var", type=Path, help="of the service's files, where the data shall stay; must be absolute")
    parser.add_argument("--drawing", type=Path, help="PNG of the soak")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    fixed: list[Phase] = []
    largest: list[Phase] = []
    test: LoadTest | None = None
    with tempfile.TemporaryDirectory() as temporary:
        for workers in arguments.workers:
            some, more, test = measure(arguments, workers, arguments.var or Path(temporary) / "var")
            fixed, largest = [*fixed, *some], [*largest, *more]
            text = report(arguments, fixed, largest, test)
            write_results(text, arguments.output)  # also where the next service does not start
    assert test is not None, "there is a number of workers"
    print(text)
    if arguments.drawing is not None and test.watch.samples:
        draw_soak(test.watch.samples, arguments.drawing)


if __name__ == "__main__":
    main()
