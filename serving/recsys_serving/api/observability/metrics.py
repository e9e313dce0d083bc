"""What the service measures of itself, for Prometheus; with several workers, of all of them together.

Workers share files in the directory of ``PROMETHEUS_MULTIPROC_DIR``, which the launcher sets before they start; without
it the numbers are those of this process. Routes are templates, so that no id of a user or an item is a label.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

#: Upper bounds, in seconds, that times are counted by.
BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)

MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


class ServiceMetrics:
    """Counters and times of one application.

    Args:
        read_gauges: gives what is read when it is asked for: name -> (help, value).
    """

    def __init__(self, read_gauges: Callable[[], dict[str, tuple[str, float]]] = dict) -> None:
        self._registry = CollectorRegistry()
        self._gauges = _GaugeReader(read_gauges)
        self._requests = Counter(
            "recsys_requests",
            "Requests by route, method and status.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._request_seconds = Histogram(
            "recsys_request_seconds",
            "Time of an answer by route.",
            ("route",),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._stage_seconds = Histogram(
            "recsys_stage_seconds", "Time of a stage of a list.", ("stage",), buckets=BUCKETS, registry=self._registry
        )
        self._on_stage: Callable[[str, float], None] | None = None
        self._cache = Counter(
            "recsys_cache_lookups", "Lists looked up in the cache.", ("result",), registry=self._registry
        )
        self._degraded = Counter(
            "recsys_degraded_answers", "Lists made without a dependency.", ("dependency",), registry=self._registry
        )
        self._variants = Counter("recsys_variant_answers", "Lists by variant.", ("variant",), registry=self._registry)
        experiment = ("experiment", "variant")
        self._exposures = Counter(
            "recsys_exposures",
            "Lists that were to be noted, by what became of them: stored, spooled or dropped.",
            (*experiment, "fate"),
            registry=self._registry,
        )
        self._exposures_waiting = Gauge(
            "recsys_exposures_waiting",
            "Lists that wait to be noted.",
            experiment,
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._spooled = Counter("recsys_spooled_writes", "Writes that went to the spool.", registry=self._registry)
        # What is counted with each request is looked up without a check of its labels; there are few of them.
        self._requests_of = cache(lambda route, method, status: self._requests.labels(route, method, str(status)))
        self._seconds_of = cache(self._request_seconds.labels)
        self._seconds_of_stage = cache(self._stage_seconds.labels)
        self._hits, self._misses = self._cache.labels("hit"), self._cache.labels("miss")

    def count_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests_of(route, method, status).inc()
        self._seconds_of(route).observe(seconds)

    def tell_stages(self, on_stage: Callable[[str, float], None]) -> None:
        """Tell somebody else of each stage too: its name and its seconds."""
        self._on_stage = on_stage

    def observe_stage(self, stage: str, seconds: float) -> None:
        """A stage of a list took so long, and has just ended."""
        self._seconds_of_stage(stage).observe(seconds)
        if self._on_stage is not None:
            self._on_stage(stage, seconds)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage."""
        start = perf_counter()
        try:
            yield
        finally:
            self.observe_stage(name, perf_counter() - start)

    def count_cache(self, hit: bool) -> None:
        """A list was looked up in the cache."""
        (self._hits if hit else self._misses).inc()

    def count_answer(self, variant: str, degraded: Iterable[str]) -> None:
        """A list was given: by which variant, and without which dependencies."""
        self._variants.labels(variant).inc()
        for dependency in degraded:
            self._degraded.labels(dependency).inc()

    def count_exposures(self, fate: str, experiment_id: str | None, variant: str | None, number: int) -> None:
        """So many lists were stored, spooled or dropped, or wait; a negative number wait no longer."""
        labels = (experiment_id or "none", variant or "none")
        if fate == "waiting":
            self._exposures_waiting.labels(*labels).inc(number)
        else:
            self._exposures.labels(*labels, fate).inc(number)

    def count_spooled(self) -> None:
        """A write went to the spool."""
        self._spooled.inc()

    def text(self) -> bytes:
        """All of it in Prometheus's format."""
        if MULTIPROCESS_VARIABLE not in os.environ:
            own = generate_latest(self._registry)
        else:
            _forget_dead_workers(Path(os.environ[MULTIPROCESS_VARIABLE]))
            shared = CollectorRegistry()
            MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
            own = generate_latest(shared)
        gauges = CollectorRegistry()
        gauges.register(self._gauges)
        return own + generate_latest(gauges)


def _forget_dead_workers(directory: Path) -> None:
    """Let what waited in workers that have died count no more."""
    for path in directory.glob("gauge_live*_*.db"):
        process = path.stem.rpartition("_")[2]
        try:
            os.kill(int(process), 0)
        except ProcessLookupError:
            mark_process_dead(int(process), str(directory))  # type: ignore[no-untyped-call]
        except PermissionError:
            pass  # it is alive, and somebody else's


class _GaugeReader(Collector):
    """Values that are the same for all workers, read when they are asked for."""

    def __init__(self, read: Callable[[], dict[str, tuple[str, float]]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        for name, (text, value) in self._read().items():
            yield GaugeMetricFamily(name, text, value=value)
