"""Measures models on interactions that are held out for choosing, and chooses the best."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from recsys.errors import RecsysError, RunError
from recsys.evaluation.statistics.significance import Interval
from recsys.reporting.result_table import Cell, ResultTable, estimate_text
from recsys.studies.selection.candidate import Candidate


@dataclass(frozen=True, slots=True)
class CandidateScore:
    """What came of a candidate.

    Args:
        candidate: that was measured.
        value: of the metric; None where it could not be measured.
        seconds: of its training.
        interval: 95 % interval of the value; None where there is none.
        error: why it could not be measured; empty where it was.
    """

    candidate: Candidate
    value: float | None
    seconds: float = 0.0
    interval: Interval | None = None
    error: str = ""


class Measurement(NamedTuple):
    """What a candidate was measured at.

    Args:
        value: of the metric.
        seconds: of its training.
        interval: 95 % interval of the value; None where there is none.
    """

    value: float
    seconds: float
    interval: Interval | None = None


#: Trains a candidate and measures it.
Measure = Callable[[Candidate], Measurement]


@dataclass(frozen=True, slots=True)
class Selection:
    """The candidates, and which of them is best.

    Args:
        metric: that they were measured by; more is better.
        held_out: what they were measured on, in a few words, such as ``validation``.
        scores: in the order in which they were measured.
    """

    metric: str
    held_out: str
    scores: tuple[CandidateScore, ...]

    @property
    def best(self) -> CandidateScore:
        """The one with the highest value, of equal ones the first.

        Raises:
            RunError: none could be measured.
        """
        measured = [one for one in self.scores if one.value is not None]
        if not measured:
            reasons = "".join(f"\n  {one.candidate.name}: {one.error}" for one in self.scores)
            raise RunError(f"At least one model that can be trained is required, but each of them failed.{reasons}")
        return max(measured, key=lambda one: -math.inf if one.value is None else one.value)

    def table(self) -> ResultTable:
        """One row for each candidate, the best first, those that failed last."""
        best = self.best
        ranked = sorted(self.scores, key=lambda one: math.inf if one.value is None else -one.value)
        rows = [
            [
                Cell(one.candidate.name, bold=one is best),
                Cell("failed" if one.value is None else estimate_text(one.value, one.interval), bold=one is best),
                Cell("-" if one.value is None else f"{one.seconds:.1f}"),
            ]
            for one in ranked
        ]
        failed = "".join(f" {one.candidate.name} failed: {one.error}" for one in ranked if one.error)
        told = ", with 95 % bootstrap intervals over users" if any(one.interval for one in self.scores) else ""
        note = f"Measured on {self.held_out}{told}; the best is chosen.{failed}"
        return ResultTable("Models to choose from", ["model", self.metric, "seconds"], rows, note)


def choose(
    candidates: Sequence[Candidate],
    measure: Measure,
    metric: str,
    held_out: str = "validation",
    say: Callable[[Candidate], None] = lambda candidate: None,
) -> Selection:
    """Measure all candidates; one that fails takes no part.

    Args:
        candidates: at least one.
        measure: trains one and measures it; never on what the chosen one is tested on.
        metric: that is measured; more is better.
        held_out: what is measured on, in a few words.
        say: told which candidate is next.

    Raises:
        RunError: all failed.
    """
    scores = []
    for candidate in candidates:
        say(candidate)
        try:
            value, seconds, interval = measure(candidate)
        except RecsysError as error:
            scores.append(CandidateScore(candidate, None, error=str(error)))
        else:
            failed = "" if math.isfinite(value) else f"its {metric} is {value}"
            scores.append(CandidateScore(candidate, None if failed else value, seconds, interval, failed))
    selection = Selection(metric, held_out, tuple(scores))
    _ = selection.best  # raises where none could be measured
    return selection
