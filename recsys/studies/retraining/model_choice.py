"""Chooses what is retrained: the candidate that is best on the newest interactions before those that are held out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from recsys.errors import RecsysError, RunError
from recsys.evaluation.statistics.significance import bootstrap_intervals
from recsys.studies.newer_data.contestants import Contestant, open_contestant
from recsys.studies.newer_data.held_out import read_held_out
from recsys.studies.newer_data.scoring import measured
from recsys.studies.selection.candidate import Candidate
from recsys.studies.selection.selection import Measurement, Selection, choose

#: Trains a candidate on what came before; its run or bundle.
TrainCandidate = Callable[[Candidate], Path]


@dataclass(frozen=True, slots=True)
class _Trained:
    contestant: Contestant | None
    seconds: float
    error: str = ""


def choose_on_newest(
    candidates: Sequence[Candidate],
    train: TrainCandidate,
    table: Path,
    metric: str,
    k: int,
    say: Callable[[Candidate], None] = lambda candidate: None,
) -> Selection:
    """Train all candidates on what came before, and measure them as they would be served.

    Args:
        candidates: at least one.
        train: trains one on what came before the interactions of ``table``; its run or bundle.
        table: Parquet file of the interactions that the choice is made on.
        metric: that is measured, such as ``ndcg``; its mean over users counts.
        k: its cut-off.
        say: told which candidate is trained next.

    Raises:
        DataError: nothing of the table can be recovered by any of them.
        RunError: none could be trained.
    """
    trained: dict[str, _Trained] = {}
    for candidate in candidates:
        say(candidate)
        began = time.perf_counter()
        try:
            contestant, error = open_contestant(train(candidate), candidate.name), ""
        except RecsysError as failure:
            contestant, error = None, str(failure)
        trained[candidate.name] = _Trained(contestant, time.perf_counter() - began, error)
    there = [one.contestant for one in trained.values() if one.contestant is not None]
    # All are to recover the same: what any of them knows already, or none can, is left out for all.
    held_out = read_held_out(table, None, there) if there else None

    def measure(candidate: Candidate) -> Measurement:
        own = trained[candidate.name]
        if own.contestant is None or held_out is None:
            raise RunError(own.error)
        values = measured(own.contestant, held_out, k).per_user[f"{metric}@{k}"].to_numpy()
        (interval,) = bootstrap_intervals(values[:, None])
        return Measurement(float(values.mean()), own.seconds, interval)

    return choose(candidates, measure, f"{metric}@{k}", "the newest interactions before those that are held out")
