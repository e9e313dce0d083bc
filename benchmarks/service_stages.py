"""How long each stage of an answer of the service takes, in this process, without HTTP.

::

    python benchmarks/service_stages.py --bundle bundles/NAME --output benchmarks/results/service_stages.md

A PostgreSQL and a Redis server of our own are started in a temporary directory; ``--memory`` does without them, with
the bundle's histories and a cache in this process. One client asks for one known user after the other without a pause:
each user twice, so that the first answer is made and the second comes from the cache. A second table has the same time
by whose it is: ONNX Runtime, FAISS, PostgreSQL and Redis, each with the call that waits for it, and the rest, which is
our own code.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import psutil
from recsys_serving.cache.memory_cache import MemoryCache
from recsys_serving.cache.recommendation_cache import RecommendationCache
from recsys_serving.cache.redis_cache import RedisCache
from recsys_serving.local.embedded_postgres import start_postgres, stop_postgres
from recsys_serving.local.embedded_redis import start_redis, stop_redis
from recsys_serving.recommending.assembly import open_service
from recsys_serving.recommending.options import RecommendingOptions
from recsys_serving.recommending.service import RecommendationService
from recsys_serving.recommending.stages import STAGES
from recsys_serving.recommending.types import RecommendationAnswer, RecommendationQuery
from recsys_serving.resilience.health import HealthRegistry
from recsys_serving.store.connection.patient_connection import PatientConnection
from recsys_serving.store.schema.migration import migrate
from recsys_serving.store.store import Store
from results_file import write_results

from recsys.retrieval.faiss_index import FaissIndex
from recsys.retrieval.index import ExactIndex
from recsys.runtime.bundle import Bundle
from recsys.runtime.onnx_model import OnnxModel
from recsys.studies.benchmark.hardware import hardware_summary

#: What is timed around the stages: the answer as the API writes it, and all of it.
SERIALISATION, WHOLE = "serialisation", "whole answer"

#: Whose time it is, with the call that takes it, in the order of the table.
OWNERS: dict[str, tuple[type, str]] = {
    "ONNX Runtime": (OnnxModel, "run_all"),
    "FAISS, or the exact index": (FaissIndex, "search"),
    "PostgreSQL": (PatientConnection, "wait"),
    "Redis": (RedisCache, "get_many"),
}
EXACT = (ExactIndex, "search")
OURS = "our own code"


class Stopwatch:
    """Seconds of each stage of each answer."""

    def __init__(self) -> None:
        self.current: dict[str, float] = defaultdict(float)

    def add(self, stage: str, seconds: float) -> None:
        """Add to a stage of the answer under way."""
        self.current[stage] += seconds

    def take(self) -> dict[str, float]:
        """The stages of the answer that is done."""
        done, self.current = dict(self.current), defaultdict(float)
        return done


@contextlib.contextmanager
def owners_timed(stopwatch: Stopwatch) -> Iterator[None]:
    """Time the calls of :data:`OWNERS` as long as this lasts."""
    with contextlib.ExitStack() as stack:
        for owner, (class_, name) in (*OWNERS.items(), ("FAISS, or the exact index", EXACT)):
            stack.enter_context(_timed(class_, name, owner, stopwatch))
        yield


@contextlib.contextmanager
def _timed(class_: Any, name: str, owner: str, stopwatch: Stopwatch) -> Iterator[None]:
    call = getattr(class_, name)

    def timed(*arguments: Any, **options: Any) -> Any:
        begun = time.perf_counter()
        try:
            return call(*arguments, **options)
        finally:
            stopwatch.add(owner, time.perf_counter() - begun)

    setattr(class_, name, timed)
    try:
        yield
    finally:
        setattr(class_, name, call)


@contextlib.contextmanager
def servers(in_memory: bool) -> Iterator[tuple[Store | None, RecommendationCache]]:
    """A store and a cache for the measurement."""
    if in_memory:
        yield None, MemoryCache()
        return
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        url = start_postgres(root / "postgres")
        try:
            migrate(url)
            store = Store.connect(url)
            yield store, RedisCache(start_redis(root / "redis"), timeout_seconds=1.0)
            store.close()
        finally:
            stop_redis(root / "redis")
            stop_postgres(root / "postgres")


def measure(service: RecommendationService, stopwatch: Stopwatch, users: list[str], k: int) -> list[dict[str, float]]:
    """Seconds of the stages of one answer for each user."""
    measured = []
    for user in users:
        stopwatch.take()
        begun = time.perf_counter()
        answer = service.recommend([RecommendationQuery(user_id=user, k=k)])[0]
        asked = time.perf_counter()
        orjson.dumps(as_json(answer))
        stopwatch.add(SERIALISATION, time.perf_counter() - asked)
        stopwatch.add(WHOLE, time.perf_counter() - begun)
        measured.append(stopwatch.take())
    return measured


def as_json(answer: RecommendationAnswer) -> dict[str, object]:
    """What the API writes of an answer, near enough."""
    fields = {name: getattr(answer, name) for name in answer.__dataclass_fields__ if name != "items"}
    items = [{name: getattr(item, name) for name in item.__dataclass_fields__} for item in answer.items]
    return {**fields, "items": items}


def table(made: list[dict[str, float]], cached: list[dict[str, float]]) -> list[str]:
    """Median and 99th percentile of each stage, in milliseconds."""
    lines = [
        "| stage | made: median | made: p99 | from the cache: median | from the cache: p99 |",
        "|---|---|---|---|---|",
    ]
    for stage in (*STAGES, SERIALISATION, "all but the model", WHOLE):
        cells = [stage]
        for answers in (made, cached):
            seconds = np.array([milliseconds(one, stage) for one in answers])
            cells += [f"{np.median(seconds):.3f}", f"{np.percentile(seconds, 99):.3f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def owner_table(made: list[dict[str, float]], cached: list[dict[str, float]]) -> list[str]:
    """Mean milliseconds of each owner, and its share of all answers."""
    lines = ["| whose | made: ms | share | from the cache: ms | share |", "|---|---|---|---|---|"]
    for owner in (*OWNERS, OURS, WHOLE):
        cells = [owner]
        for answers in (made, cached):
            whole = sum(one[WHOLE] for one in answers)
            if owner == OURS:
                seconds = whole - sum(one.get(name, 0.0) for one in answers for name in OWNERS)
            else:
                seconds = sum(one.get(owner, 0.0) for one in answers)
            cells += [f"{1000 * seconds / len(answers):.3f}", f"{seconds / whole:.1%}"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def memory_table(service: RecommendationService, users: list[str], rounds: int) -> list[str]:
    """Memory of this process after each round in which every user gets a list that no cache has."""
    process, lists = psutil.Process(), 0
    lines = ["| lists | memory, MB | more |", "|---|---|---|", f"| 0 | {process.memory_info().rss / 1e6:.1f} | |"]
    before = process.memory_info().rss
    for number in range(rounds):
        for user in users:
            service.recommend([RecommendationQuery(user_id=user, k=20 + number)])
        lists, now = lists + len(users), process.memory_info().rss
        lines.append(f"| {lists:,} | {now / 1e6:.1f} | {(now - before) / 1e6:+.1f} |")
        print(lines[-1], flush=True)
        before = now
    return lines


def milliseconds(answer: dict[str, float], stage: str) -> float:
    """Of one stage of one answer."""
    if stage == "all but the model":
        return 1000 * (answer[WHOLE] - answer.get("model", 0.0))
    return 1000 * answer.get(stage, 0.0)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--memory", action="store_true", help="without PostgreSQL and Redis")
    parser.add_argument("--data", type=Path, help="a prepared directory, whose histories the store gets")
    parser.add_argument("--requests", type=int, default=1000, help="answers that are measured, of each kind")
    parser.add_argument(
        "--rounds", type=int, default=0, help="lists for every user, after each of which memory is read"
    )
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    bundle = Bundle.open(arguments.bundle)
    ids = bundle.user_vocabulary.ids.to_pylist()
    users = [ids[place] for place in np.random.default_rng(0).permutation(len(ids))[: arguments.requests]]
    stopwatch = Stopwatch()
    path = arguments.bundle.absolute()
    options = RecommendingOptions(
        bundles=path.parent,
        bundle=path.name,
        cursor_secret=b"benchmark" * 4,
        cache_ttl_seconds=600.0,
        deadline_seconds=10.0,
        store_timeout_seconds=5.0,
        merge_bundle_histories=not arguments.data,
        cache_queue_size=0 if arguments.memory else 1000,
    )
    with servers(arguments.memory) as (store, cache):
        if arguments.data is not None and store is not None:
            store.import_prepared(arguments.data)
        service = open_service(options, store, None, cache, HealthRegistry(), stopwatch.add)
        with owners_timed(stopwatch):
            measure(service, stopwatch, users[:50], arguments.k + 1)  # the first answers open connections
            made = measure(service, stopwatch, users, arguments.k)
            cached = measure(service, stopwatch, users, arguments.k)
        memory = memory_table(service, ids, arguments.rounds) if arguments.rounds else []
        service.close()
    manifest = bundle.manifest
    where = "a cache in this process, no store" if arguments.memory else "PostgreSQL and Redis on the same machine"
    text = "\n".join(
        [
            "# The stages of an answer of the service",
            "",
            f"Milliseconds of {len(made):,} answers with k={arguments.k} from {manifest.name} ("
            f"{manifest.retriever.model}, {manifest.data.num_items:,} items), one client, {where}. "
            f"{hardware_summary()}.",
            "",
            *table(made, cached),
            "",
            *owner_table(made, cached),
            "",
            *([*memory, ""] if memory else []),
        ]
    )
    print(text)
    write_results(text, arguments.output)


if __name__ == "__main__":
    main()
