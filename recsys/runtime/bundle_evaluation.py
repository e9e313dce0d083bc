"""What the models of a bundle were measured at when they were trained: metrics, segments, learning curves."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recsys.runtime.manifest import Manifest, Source

#: The metrics of each epoch, of what finds candidates and of the ranker, where they were trained by epochs.
LEARNING_CURVE, RANKER_LEARNING_CURVE = "learning_curve.csv", "ranker_learning_curve.csv"

#: Stand before the names of metrics: measured before a refit, and of the baseline of the run.
_BEFORE_REFIT, _BASELINE = "before_refit/", "baseline/"
_LOW, _HIGH = "_low", "_high"
_METRIC = re.compile(r"(?P<metric>[a-z_]+)@(?P<k>\d+)")
_SEGMENT = re.compile(r"(?P<segment>[a-z_]+)=(?P<group>[^/]+)/(?P<metric>[a-z_]+)@(?P<k>\d+)")


@dataclass(frozen=True, slots=True)
class MeasuredMetric:
    """A metric of the test users.

    Args:
        metric: its name, such as ``ndcg``.
        k: its cut-off.
        value: mean over users, or of the whole catalogue (``coverage``, ``gini``).
        low: of its 95 % interval; None: it has none.
        high: likewise.
    """

    metric: str
    k: int
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class MeasuredSegment:
    """A metric of a part of the users or of the items.

    Args:
        segment: by what they are divided, such as ``item_popularity``.
        group: the part, such as ``tail``.
        metric: its name.
        k: its cut-off.
        value: of the part.
    """

    segment: str
    group: str
    metric: str
    k: int
    value: float


@dataclass(frozen=True, slots=True)
class ModelEvaluation:
    """What one model of a bundle was measured at.

    Args:
        role: what it does in the bundle.
        model: name of its class.
        run: directory of its training.
        before_refit: whether it was measured before it was trained once more, on all interactions.
        metrics: of the test users.
        baseline: the same of the baseline that its run was compared with; empty where there was none.
        segments: of parts of the users and items.
        learning_curve: metrics of each epoch, by name; empty for a model without epochs.
    """

    role: Literal["retriever", "ranker"]
    model: str
    run: str
    before_refit: bool
    metrics: tuple[MeasuredMetric, ...]
    baseline: tuple[MeasuredMetric, ...]
    segments: tuple[MeasuredSegment, ...]
    learning_curve: tuple[Mapping[str, float], ...]


def evaluations_of(manifest: Manifest, directory: Path) -> list[ModelEvaluation]:
    """What each model of a bundle was measured at, the ranker last.

    Args:
        manifest: of the bundle.
        directory: of the bundle.
    """
    found = [_evaluation("retriever", manifest.retriever, directory / LEARNING_CURVE)]
    if manifest.ranker is not None:
        found.append(_evaluation("ranker", manifest.ranker, directory / RANKER_LEARNING_CURVE))
    return found


def _evaluation(role: Literal["retriever", "ranker"], source: Source, curve: Path) -> ModelEvaluation:
    values = {name: value for name, value in source.metrics.items() if value is not None and math.isfinite(value)}
    test = _below("test/", values)
    before_refit = not test
    if before_refit:
        test = _below(f"{_BEFORE_REFIT}test/", values)
    baseline = _below(f"{_BASELINE}test/", values) or _below(f"{_BEFORE_REFIT}{_BASELINE}test/", values)
    return ModelEvaluation(
        role,
        source.model,
        source.run,
        before_refit and bool(test),
        _metrics(test),
        _metrics(baseline),
        _segments(test),
        read_learning_curve(curve),
    )


def read_learning_curve(path: Path) -> tuple[dict[str, float], ...]:
    """The metrics of each epoch, by name; what is not a finite number is left out, and a missing file is empty."""
    if not path.is_file():
        return ()
    with path.open(encoding="utf-8", newline="") as file:
        rows = [{name: _number(text) for name, text in row.items()} for row in csv.DictReader(file)]
    return tuple({name: value for name, value in row.items() if math.isfinite(value)} for row in rows)


def _below(prefix: str, values: Mapping[str, float]) -> dict[str, float]:
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}


def _metrics(values: Mapping[str, float]) -> tuple[MeasuredMetric, ...]:
    return tuple(
        MeasuredMetric(found["metric"], int(found["k"]), value, values.get(name + _LOW), values.get(name + _HIGH))
        for name, value in values.items()
        if (found := _METRIC.fullmatch(name))
    )


def _segments(values: Mapping[str, float]) -> tuple[MeasuredSegment, ...]:
    return tuple(
        MeasuredSegment(found["segment"], found["group"], found["metric"], int(found["k"]), value)
        for name, value in values.items()
        if (found := _SEGMENT.fullmatch(name))
    )


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan
