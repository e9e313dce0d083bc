"""The store with many interactions: how fast they come in, how large they are, how long questions take.

::

    python benchmarks/store_scale.py --interactions 20000000 --output benchmarks/results/store_scale.md

A PostgreSQL server of its own, with its data in a temporary directory and its settings as the embedded server has them
(each commit on the disk), gets a prepared directory of made-up interactions spread over ten years. Then, on all of it:
the state of users drawn at random, appends one by one and in batches, a merge, an export and an erasure, retention that
drops a year, and retention that deletes one type of interactions row by row.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
from recsys_serving.local.embedded_postgres import start_postgres, stop_postgres
from recsys_serving.store.connection.database import DatabaseSettings
from recsys_serving.store.events.records import Interaction
from recsys_serving.store.schema.migration import migrate
from recsys_serving.store.schema.retention import RetentionPolicy
from recsys_serving.store.store import Store
from results_file import write_results
from sqlalchemy import text

from recsys.data.columns import TIMESTAMP
from recsys.data.preparing import Preparation
from recsys.data.raw import RawDataset
from recsys.data.readers.synthetic import SyntheticReader

#: Users and items of MovieLens 20M.
NUM_USERS, NUM_ITEMS = 138_493, 26_744
FIRST, LAST = datetime(2014, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)
CLIENTS = 8
BATCH = 100
HISTORY = 500

SIZES = """
SELECT name, pg_size_pretty(sum(pg_table_size(relid))), pg_size_pretty(sum(pg_indexes_size(relid))) FROM (
    SELECT c.oid AS relid, coalesce(p.relname, c.relname) AS name FROM pg_class c
    LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
) tables WHERE name IN ('interactions', 'interaction_keys', 'users', 'items') GROUP BY name ORDER BY name
"""


class SpreadReader:
    """Made-up interactions, with times that are drawn evenly from ten years.

    Args:
        num_interactions: their number.
    """

    name = "spread"

    def __init__(self, num_interactions: int) -> None:
        self._reader = SyntheticReader(NUM_USERS, NUM_ITEMS, num_interactions)

    def read(self) -> RawDataset:
        """The tables; see :class:`recsys.data.raw.Reader`."""
        raw = self._reader.read()
        seconds = np.random.default_rng(0).integers(
            int(FIRST.timestamp()), int(LAST.timestamp()), raw.interactions.num_rows
        )
        at = raw.interactions.column_names.index(TIMESTAMP)
        return replace(raw, interactions=raw.interactions.set_column(at, TIMESTAMP, pa.array(seconds)))

    def fingerprint(self) -> dict[str, object]:
        """See :class:`recsys.data.raw.Reader`."""
        return {"spread": self._reader.fingerprint()}


@contextmanager
def server() -> Iterator[str]:
    """URL of a database on a server of its own."""
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory) / "data"
        url = start_postgres(data)
        try:
            yield url
        finally:
            stop_postgres(data)


def milliseconds(calls: int, call: Callable[[int], object]) -> np.ndarray:
    """What each of some calls took."""
    taken = []
    for number in range(calls):
        started = time.perf_counter()
        call(number)
        taken.append((time.perf_counter() - started) * 1000)
    return np.array(taken)


def shown(taken: np.ndarray) -> str:
    """Median and high percentiles."""
    return ", ".join(f"p{part} {np.percentile(taken, part):.2f} ms" for part in (50, 95, 99))


def interaction(event_id: str, user: int, item: int) -> Interaction:
    """A view that happens now."""
    return Interaction(event_id, user_id(user), f"i{item + 1}", "view", datetime.now(UTC))


def user_id(number: int) -> str:
    """The id of a user."""
    return f"u{number + 1}"


def measure_appends(store: Store) -> list[str]:
    """Appends of one client, of several, and in batches."""
    random = np.random.default_rng(1)
    users, items = random.integers(NUM_USERS, size=100_000), random.integers(NUM_ITEMS, size=100_000)
    alone = milliseconds(2000, lambda n: store.interactions.append([interaction(f"one-{n}", users[n], items[n])]))
    started = time.perf_counter()
    calls = 500
    with ThreadPoolExecutor(CLIENTS) as pool:
        barrier = threading.Barrier(CLIENTS)

        def client(number: int) -> None:
            barrier.wait()
            for n in range(calls):
                store.interactions.append([interaction(f"{number}-{n}", users[n * CLIENTS + number], items[n])])

        list(pool.map(client, range(CLIENTS)))
    together = CLIENTS * calls / (time.perf_counter() - started)
    started = time.perf_counter()
    for n in range(0, 20_000, BATCH):
        store.interactions.append([interaction(f"batch-{k}", users[k], items[k]) for k in range(n, n + BATCH)])
    batches = 20_000 / (time.perf_counter() - started)
    return [
        f"| append one interaction, one client | {shown(alone)}; {1000 / alone.mean():,.0f} a second |",
        f"| append one interaction, {CLIENTS} clients | {together:,.0f} a second |",
        f"| append in batches of {BATCH}, one client | {batches:,.0f} interactions a second |",
    ]


def measure_users(store: Store) -> list[str]:
    """State, history, merge, export and erasure of users."""
    users = np.random.default_rng(2).permutation(NUM_USERS)[:6000]
    users = [user_id(number) for number in users]
    state = milliseconds(3000, lambda n: store.users.state(users[n], HISTORY))
    again = milliseconds(3000, lambda n: store.users.state(users[n], HISTORY))
    page = milliseconds(1000, lambda n: store.interactions.list_for_user(users[n], 100))
    export = milliseconds(100, lambda n: store.users.export(users[n]))
    merge = milliseconds(100, lambda n: store.users.merge(users[4000 + n], users[5000 + n]))
    erase = milliseconds(100, lambda n: store.users.erase(users[5500 + n]))
    return [
        f"| state of a user, latest {HISTORY} items, first time | {shown(state)} |",
        f"| state of a user, the same users again | {shown(again)} |",
        f"| page of 100 interactions of a user | {shown(page)} |",
        f"| export of a user | {shown(export)} |",
        f"| merge of two users | {shown(merge)} |",
        f"| erasure of a user | {shown(erase)} |",
    ]


def measure_retention(store: Store) -> list[str]:
    """A year that is dropped whole, and a type that is deleted in the year after it."""
    started = time.perf_counter()
    policy = RetentionPolicy(interaction_days=0)
    dropped = store.apply_retention(policy, now=datetime(2015, 1, 1, tzinfo=UTC))
    drop_seconds = time.perf_counter() - started
    started = time.perf_counter()
    of_a_type = RetentionPolicy(type_days={"rating": 0})
    deleted = store.apply_retention(of_a_type, now=datetime(2015, 7, 1, tzinfo=UTC))
    seconds = time.perf_counter() - started
    return [
        f"| retention drops {', '.join(dropped.partitions)}, a tenth of all, and its keys | {drop_seconds:.1f} s |",
        f"| retention deletes {deleted.interactions:,} rows of one type from the year after | {seconds:.1f} s |",
    ]


def measure(num_interactions: int) -> str:
    """Everything, as a page."""
    lines = []
    with tempfile.TemporaryDirectory() as directory, server() as url:
        prepared = Preparation().prepare(SpreadReader(num_interactions), Path(directory) / "prepared").directory
        migrate(url)
        store = Store.connect(url, DatabaseSettings(statement_timeout_seconds=60))
        imported = store.import_prepared(prepared)
        rate = imported.interactions / imported.seconds
        lines.append(
            f"| import of {imported.interactions:,} interactions, {imported.users:,} users, {imported.items:,} items | "
            f"{imported.seconds:.0f} s; {rate:,.0f} interactions a second |"
        )
        with store.transaction() as connection:
            version = connection.execute(text("SHOW server_version")).scalar_one()
            sizes = connection.execute(text(SIZES)).all()
        lines += [f"| size of {name} | {table}, indexes {indexes} |" for name, table, indexes in sizes]
        for part in (measure_users, measure_appends, measure_retention):
            print("\n".join(lines), flush=True)
            lines += part(store)
        store.close()
    head = (
        f"{os.cpu_count()} CPU cores, PostgreSQL {version} with `shared_buffers` of 128 MB; each commit is on the disk."
    )
    return "\n".join([head, "", "| what | result |", "|---|---|", *lines, ""])


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interactions", type=int, default=20_000_000)
    parser.add_argument("--output", type=Path, help="Markdown file to write")
    arguments = parser.parse_args()
    page = measure(arguments.interactions)
    print(page)
    write_results(page, arguments.output)


if __name__ == "__main__":
    main()
