"""What it costs that a user's old items count as seen: the queries, and a list.

::

    python benchmarks/seen_items.py --bundle bundles/service --output benchmarks/results/seen_items.md

A user of an embedded PostgreSQL has interactions with many items, the newest of which are those of the bundle. Times
are medians of several repeats; a list is made anew each time, without a cache of lists.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from recsys_serving.local.embedded_postgres import start_postgres, stop_postgres
from recsys_serving.recommending.assembly import open_service
from recsys_serving.recommending.options import RecommendingOptions
from recsys_serving.recommending.types import RecommendationQuery
from recsys_serving.resilience.health import HealthRegistry
from recsys_serving.store.events.records import Interaction
from recsys_serving.store.schema.migration import migrate
from recsys_serving.store.store import Store
from results_file import write_results

from recsys.runtime.bundle import Bundle
from recsys.studies.benchmark.hardware import hardware_summary

HISTORY_LIMIT = 500
_PATIENT = {"deadline_seconds": 60.0, "store_timeout_seconds": 20.0, "runtime_timeout_seconds": 20.0}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, default=Path("bundles/service"))
    parser.add_argument("--interactions", type=int, nargs="+", default=[100, 500, 1_000, 10_000, 50_000])
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--output", type=Path, help="Markdown file for the results")
    options = parser.parse_args()
    lines = [
        "# What it costs that old items count as seen",
        "",
        f"`python benchmarks/seen_items.py --bundle {options.bundle}`, {hardware_summary()}. Milliseconds, the median "
        f"of {options.repeats}.",
        "",
        f"| interactions | state, the latest {HISTORY_LIMIT} | all items seen | list after a change | next list |",
        "|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as directory:
        postgres = Path(directory) / "postgres"
        url = start_postgres(postgres)
        try:
            migrate(url)
            store = Store.connect(url)
            for number in options.interactions:
                lines.append(measured(store, options.bundle, number, options.repeats))
            store.close()
        finally:
            stop_postgres(postgres)
    text = "\n".join(lines) + "\n"
    print(text)
    write_results(text, options.output)


def measured(store: Store, bundle: Path, number: int, repeats: int) -> str:
    """A row: a user with so many interactions, each with another item."""
    user = f"user-{number}"
    known = Bundle.open(bundle).item_vocabulary.ids.to_pylist()[: number // 2]
    items = [*(f"other-{place}" for place in range(number - len(known))), *known]
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    events = [
        Interaction(f"{user}-{place}", user, item, "click", begin + timedelta(minutes=place))
        for place, item in enumerate(items)
    ]
    for start in range(0, number, 1000):
        store.interactions.append(events[start : start + 1000])
    changes = iter(range(10**9))

    def change() -> None:
        store.users.update(user, {"visits": next(changes)})

    service = open_service(
        RecommendingOptions(
            bundles=bundle.absolute().parent,
            bundle=bundle.name,
            cursor_secret=b"s" * 32,
            history_limit=HISTORY_LIMIT,
            **_PATIENT,  # type: ignore[arg-type]
        ),
        store,
        None,
        None,
        HealthRegistry(),
    )
    query = RecommendationQuery(user_id=user, k=10, log_exposure=False)

    def recommend() -> None:
        [answer] = service.recommend([query])
        assert not answer.degraded and not {item.item_id for item in answer.items} & set(items)

    try:
        recommend()
        times = [
            milliseconds(lambda: store.users.state(user, HISTORY_LIMIT), repeats),
            milliseconds(lambda: store.users.seen(user), repeats),
            milliseconds(recommend, repeats, change),
            milliseconds(recommend, repeats),
        ]
    finally:
        service.close()
    return f"| {number:,} | {' | '.join(f'{one:.1f}' for one in times)} |"


def milliseconds(work: Callable[[], object], repeats: int, before: Callable[[], object] = lambda: None) -> float:
    """The median of several repeats."""
    seconds = []
    for _ in range(repeats):
        before()
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds) * 1000


if __name__ == "__main__":
    main()
