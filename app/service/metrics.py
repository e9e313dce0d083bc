"""What the service measures of itself, read from Prometheus's format."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


@dataclass(frozen=True, slots=True)
class Latency:
    """Times of one kind, as a histogram has counted them.

    Args:
        count: how many.
        total_seconds: all together.
        buckets: upper bounds in seconds and how many were not longer, ascending; the last bound is infinite.
    """

    count: int
    total_seconds: float
    buckets: tuple[tuple[float, float], ...]

    @property
    def mean_ms(self) -> float:
        """Mean in milliseconds; NaN of none."""
        return 1_000 * self.total_seconds / self.count if self.count else math.nan

    def quantile_ms(self, share: float) -> float:
        """The time in milliseconds that ``share`` of all do not exceed, on a line within its bucket; NaN of none.

        Of what lies above the last finite bound, that bound.
        """
        wanted, low, before = share * self.count, 0.0, 0.0
        for bound, below in self.buckets:
            if self.count and below >= wanted and below > before:
                if math.isinf(bound):
                    return 1_000 * low
                return 1_000 * (low + (bound - low) * (wanted - before) / (below - before))
            low, before = bound, below
        return math.nan


@dataclass(frozen=True, slots=True)
class ServiceNumbers:
    """What ``/metrics`` says, of all workers since the service started.

    Args:
        stages: times of the stages of a list, by stage.
        routes: times of answers, by route.
        requests: answers, by status.
        cache: lists that were looked up, by ``hit`` and ``miss``.
        degraded: lists that were made without a dependency, by its name.
        variants: lists, by variant.
        gauges: all other single numbers, by name.
    """

    stages: dict[str, Latency] = field(default_factory=dict)
    routes: dict[str, Latency] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    cache: dict[str, int] = field(default_factory=dict)
    degraded: dict[str, int] = field(default_factory=dict)
    variants: dict[str, int] = field(default_factory=dict)
    gauges: dict[str, float] = field(default_factory=dict)

    @property
    def cache_hit_rate(self) -> float | None:
        """Share of the lists that came from the cache; None of none."""
        total = sum(self.cache.values())
        return self.cache.get("hit", 0) / total if total else None

    @property
    def num_lists(self) -> int:
        """Lists that were answered."""
        return sum(self.variants.values())


def read_metrics(text: str) -> ServiceNumbers:
    """Read what ``/metrics`` answered; what this does not know is left out."""
    families = {family.name: family for family in text_string_to_metric_families(text)}
    return ServiceNumbers(
        stages=_latencies(families.get("recsys_stage_seconds"), "stage"),
        routes=_latencies(families.get("recsys_request_seconds"), "route"),
        requests=_counts(families.get("recsys_requests"), "status"),
        cache=_counts(families.get("recsys_cache_lookups"), "result"),
        degraded=_counts(families.get("recsys_degraded_answers"), "dependency"),
        variants=_counts(families.get("recsys_variant_answers"), "variant"),
        gauges={
            name: family.samples[0].value
            for name, family in families.items()
            if family.type == "gauge" and len(family.samples) == 1
        },
    )


def _counts(family: Metric | None, label: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for sample in () if family is None else family.samples:
        if sample.name.endswith("_total") and label in sample.labels:
            counts[sample.labels[label]] = counts.get(sample.labels[label], 0) + int(sample.value)
    return counts


def _latencies(family: Metric | None, label: str) -> dict[str, Latency]:
    if family is None:
        return {}
    names = dict.fromkeys(sample.labels[label] for sample in family.samples if label in sample.labels)
    return {name: _latency(sample for sample in family.samples if sample.labels.get(label) == name) for name in names}


def _latency(samples: Iterable[Sample]) -> Latency:
    count, total = 0, 0.0
    buckets = []
    for sample in samples:
        if sample.name.endswith("_bucket"):
            buckets.append((float(sample.labels["le"]), sample.value))
        elif sample.name.endswith("_count"):
            count = int(sample.value)
        elif sample.name.endswith("_sum"):
            total = sample.value
    return Latency(count, total, tuple(sorted(buckets)))
