"""What a load test has found, as tables and a drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from load_client import LoadResult
from load_watch import GROUPS, Sample, slope_an_hour
from recsys_serving.recommending.stages import STAGES

_PERCENTILES = (50, 90, 99, 99.9)


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a test.

    Args:
        name: for the tables.
        workers: processes that answered.
        rate: requests a second that were sent; None: as many as could be, in a closed loop.
        result: what came of it.
        cpu_seconds: processor time by group of processes.
        metrics: how much numbers of ``/metrics`` grew.
    """

    name: str
    workers: int
    rate: float | None
    result: LoadResult
    cpu_seconds: Mapping[str, float]
    metrics: Mapping[str, float]

    def total(self, name: str) -> float:
        """How much a number grew, all its labels together."""
        return sum(value for key, value in self.metrics.items() if key.partition("{")[0] == name)

    def stage(self, stage: str) -> tuple[float, float]:
        """Seconds in a stage, and how often it came."""
        label = f'{{stage="{stage}"}}'
        return (
            self.metrics.get(f"recsys_stage_seconds_sum{label}", 0.0),
            self.metrics.get(f"recsys_stage_seconds_count{label}", 0.0),
        )

    @property
    def hit_share(self) -> float:
        """Share of lists that were in the cache."""
        hits = self.metrics.get('recsys_cache_lookups_total{result="hit"}', 0.0)
        return hits / max(1.0, self.total("recsys_cache_lookups_total"))


def latency_table(phases: Sequence[Phase]) -> list[str]:
    """Milliseconds by kind of request, of loads at a fixed rate."""
    lines = [
        "| | workers | sent a second | kind | answers | p50 | p90 | p99 | p99.9 | largest | errors | degraded |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for phase in phases:
        for kind, seconds in sorted(phase.result.seconds.items()):
            cells = [phase.name, str(phase.workers), f"{phase.rate:g}", kind, f"{len(seconds):,}"]
            cells += [f"{1000 * value:.1f}" for value in np.percentile(seconds, _PERCENTILES)]
            cells += [f"{1000 * max(seconds):.0f}", str(phase.result.num_errors), str(phase.result.num_degraded)]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def throughput_table(phases: Sequence[Phase]) -> list[str]:
    """Answers a second of closed loops."""
    lines = [
        "| | workers | answers a second | p50, ms | p99, ms | in the cache | errors | degraded |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for phase in phases:
        seconds = [value for values in phase.result.seconds.values() for value in values]
        p50, p99 = 1000 * np.percentile(seconds, (50, 99))
        lines.append(
            f"| {phase.name} | {phase.workers} | {phase.result.a_second:,.0f} | {p50:.1f} | {p99:.1f} | "
            f"{phase.hit_share:.1%} | {phase.result.num_errors} | {phase.result.num_degraded} |"
        )
    return lines


def cpu_table(phases: Sequence[Phase]) -> list[str]:
    """Milliseconds of processor time for an answer, by group of processes."""
    lines = [f"| | workers | {' | '.join(GROUPS)} | all |", f"|---|---|{'---|' * (len(GROUPS) + 1)}"]
    for phase in phases:
        number = max(1, phase.result.num_answers)
        each = [1000 * phase.cpu_seconds[group] / number for group in GROUPS]
        cells = [f"{value:.2f}" for value in (*each, sum(each))]
        lines.append(f"| {phase.name} | {phase.workers} | {' | '.join(cells)} |")
    return lines


def stage_table(phase: Phase) -> list[str]:
    """Mean milliseconds of each stage of an answer, as the workers have measured them."""
    number = max(1.0, phase.total("recsys_request_seconds_count"))
    seconds = [value for values in phase.result.seconds.values() for value in values]
    seen, inside = 1000 * float(np.mean(seconds)), 1000 * phase.total("recsys_request_seconds_sum") / number
    rows = [(stage, 1000 * phase.stage(stage)[0] / number) for stage in STAGES]
    rows.append(("HTTP inside of the application: key, rate, routing, checks, log", inside - sum(ms for _, ms in rows)))
    rows.append(("HTTP outside of it: sockets, parsing, waiting for a worker", seen - inside))
    lines = ["| stage | ms | share |", "|---|---|---|"]
    lines += [f"| {name} | {ms:.3f} | {ms / seen:.1%} |" for name, ms in rows]
    return [*lines, f"| all that the client waits for | {seen:.3f} | 100% |"]


def soak_table(samples: Sequence[Sample], every: int = 2) -> list[str]:
    """Memory, files, connections and keys over the time, and how they grow in the second half."""
    names = list(samples[-1].megabytes)
    head = [*(f"{name}, MB" for name in names), "open files", "connections", "Redis keys", "Redis values, MB"]
    lines = [f"| minute | {' | '.join(head)} |", f"|---|{'---|' * len(head)}"]
    rows = [(sample.minute, _values(sample, names)) for sample in samples]
    for minute, values in rows[::every]:
        lines.append(f"| {minute:.0f} | {' | '.join(f'{value:,.0f}' for value in values)} |")
    later = rows[len(rows) // 2 :]
    minutes = [minute for minute, _ in later]
    slopes = [slope_an_hour(minutes, [values[place] for _, values in later]) for place in range(len(head))]
    lines.append(f"| an hour, by the second half | {' | '.join(f'{slope:+,.0f}' for slope in slopes)} |")
    return lines


def draw_soak(samples: Sequence[Sample], path: Path) -> None:
    """The same as a drawing."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    minutes = [sample.minute for sample in samples]
    figure, (memory, counts) = plt.subplots(2, 1, sharex=True, figsize=(7, 6), layout="constrained")
    for name in samples[-1].megabytes:
        memory.plot(minutes, [sample.megabytes.get(name, np.nan) for sample in samples], label=name)
    memory.set(ylabel="memory, MB (PSS)", ylim=(0, None))
    counts.plot(minutes, [sample.open_files for sample in samples], label="open files of workers")
    counts.plot(minutes, [sample.connections for sample in samples], label="connections to PostgreSQL")
    counts.plot(minutes, [sample.keys / 100 for sample in samples], label="keys in Redis, hundreds")
    counts.set(xlabel="minute", ylim=(0, None))
    for axes in (memory, counts):
        axes.legend(loc="lower right")
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _values(sample: Sample, names: Sequence[str]) -> list[float]:
    memory = [sample.megabytes.get(name, 0.0) for name in names]
    return [*memory, sample.open_files, sample.connections, sample.keys, sample.redis_megabytes]
