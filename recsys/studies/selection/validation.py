"""Chooses among models by the validation part of the split, in a process of its own that one of them may bring down."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from recsys.errors import SettingsError
from recsys.studies.leaderboard.jobs import load, run_trial
from recsys.studies.leaderboard.worker import Worker
from recsys.studies.selection.candidate import Candidate
from recsys.studies.selection.selection import Measurement, Selection, choose
from recsys.studies.tuning.objective import TrialResult


def choose_on_validation(
    shared: Sequence[str],
    candidates: Sequence[Candidate],
    metric: str = "valid/ndcg@10",
    limit_seconds: float = 600.0,
    say: Callable[[Candidate], None] = lambda candidate: None,
    bootstrap_samples: int = 1000,
) -> Selection:
    """Fit each model to the training part and measure it on validation; nothing of the test part is read.

    Data and split are loaded once. Nothing is left on disk but the prepared data.

    Args:
        shared: settings of all trainings, such as ``["data=table", "data.interactions=purchases.csv"]``.
        candidates: at least one, each with a ``model=``.
        metric: of :class:`recsys.studies.tuning.objective.Objective`; more is better.
        limit_seconds: that each may take.
        say: told which candidate is next.
        bootstrap_samples: resamples of users for 95 % intervals; 0 for none.

    Raises:
        SettingsError: a candidate names no model.
        RecsysError: the data or the split are refused, or all models failed.

    Example:
        >>> found = choose_on_validation(["data=movielens_100k"], read_candidates(FAST_MODELS))  # doctest: +SKIP
        >>> found.best.candidate.settings  # doctest: +SKIP
        ('model=ease',)
    """
    nameless = [one.name for one in candidates if one.model is None]
    if nameless:
        raise SettingsError(f"Each candidate must name a model, but {nameless[0]!r} has no model=. Add it.")
    with Worker() as worker:
        worker.call(load, tuple(shared), metric, bootstrap_samples)

        def measure(candidate: Candidate) -> Measurement:
            rest = dict(one.split("=", 1) for one in candidate.settings if not one.startswith("model="))
            arguments = (tuple(shared), candidate.model, rest, metric, limit_seconds, bootstrap_samples)
            result: TrialResult = worker.call(run_trial, *arguments, limit_seconds=1.25 * limit_seconds + 2)
            return Measurement(result.value, result.seconds, result.interval)

        return choose(candidates, measure, metric, "validation", say)
