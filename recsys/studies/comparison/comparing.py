"""Compares runs: means with intervals, paired tests, segments and beyond-accuracy metrics."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.errors import EvaluationError
from recsys.evaluation.means import FloatArray, mean_over_users
from recsys.evaluation.segments import ITEM_POPULARITIES, ITEM_POPULARITY, USER_ACTIVITIES, USER_ACTIVITY
from recsys.evaluation.statistics.multiple_comparisons import CORRECTIONS
from recsys.evaluation.statistics.paired_tests import PAIRED_TESTS, PairedDifference, paired_difference
from recsys.evaluation.statistics.significance import Estimate, bootstrap_intervals
from recsys.evaluation.target_segments import TARGET, TARGETS
from recsys.studies.comparison.compared_runs import ComparedRun

#: Accuracy metrics of the first table, besides the tested one.
ACCURACY = ("precision", "recall", "ndcg")

#: Beyond-accuracy metrics; for none of them is higher or lower better as such.
BEYOND_ACCURACY = ("coverage", "gini", "novelty", "diversity")


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a comparison.

    Args:
        metric: the tested metric, such as ``ndcg``.
        k: cut-off of all metrics.
        baseline: label or directory of the run that the others are tested against; None for the first.
        test: name of a paired test in :data:`recsys.evaluation.statistics.paired_tests.PAIRED_TESTS`.
        correction: name of a correction in :data:`recsys.evaluation.statistics.multiple_comparisons.CORRECTIONS`.
        alpha: level below which a corrected p-value is called significant; intervals have the confidence 1 - alpha.
        num_samples: resamples of the bootstrap.
        seed: seed of the bootstrap.
    """

    metric: str = "ndcg"
    k: int = 10
    baseline: str | None = None
    test: str = "permutation"
    correction: str = "holm"
    alpha: float = 0.05
    num_samples: int = 1000
    seed: int = 0


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """The paired comparison of two runs.

    Args:
        first: label of one run.
        second: label of the run that is subtracted.
        difference: ``first`` minus ``second``.
        relative: the mean difference as a share of the mean of ``second``; NaN if that is zero.
        corrected_p: the p-value, corrected for all pairs of the same table.
        significant: whether the corrected p-value is below the level.
    """

    first: str
    second: str
    difference: PairedDifference
    relative: float
    corrected_p: float
    significant: bool


@dataclass(frozen=True, slots=True)
class SegmentMeans:
    """Means of all runs in one segment.

    Args:
        group: what users or items are divided by, such as ``user_activity``.
        name: name of the segment, such as ``low``.
        measure: the averaged metric.
        num_users: number of users in the mean.
        means: mean of each run by label; NaN if there are no users.
    """

    group: str
    name: str
    measure: str
    num_users: int
    means: dict[str, float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of a comparison; the keys of each mapping are the labels of the runs in their order.

    Args:
        settings: the settings, with the label of the baseline.
        runs: the runs.
        metric: the tested metric, such as ``ndcg@10``.
        accuracy: estimate of each accuracy metric, by label and metric.
        against_baseline: every other run minus the baseline.
        pairs: all pairs of runs, the better one first; empty for two runs.
        segments: means by segment of users and items.
        beyond: value of each beyond-accuracy metric, by label and metric.
    """

    settings: Settings
    runs: tuple[ComparedRun, ...]
    metric: str
    accuracy: dict[str, dict[str, Estimate]]
    against_baseline: tuple[PairedComparison, ...]
    pairs: tuple[PairedComparison, ...]
    segments: tuple[SegmentMeans, ...]
    beyond: dict[str, dict[str, float]]

    @property
    def best(self) -> str:
        """Label of the run with the highest mean of the tested metric."""
        return max(self.accuracy, key=lambda label: self.accuracy[label][self.metric].mean)


def compare(runs: Sequence[ComparedRun], settings: Settings) -> Comparison:
    """Compare runs that :func:`recsys.studies.comparison.compared_runs.open_runs` has opened.

    Raises:
        EvaluationError: the test, the correction, the baseline or the metric is unknown, or a setting is out of range.
    """
    _check(settings)
    metric = f"{settings.metric}@{settings.k}"
    measured = [str(name) for name in runs[0].per_user if all(name in run.per_user for run in runs)]
    if metric not in measured:
        known = ", ".join(name for name in measured if "@" in name and "=" not in name)
        raise EvaluationError(
            f"The measure must be one that all runs have for each user ({known}), but it is {metric}. Choose another "
            "--metric or --k, or evaluate the runs with the same evaluation.ks."
        )
    baseline = _baseline(runs, settings.baseline)
    wanted = dict.fromkeys([*(f"{name}@{settings.k}" for name in ACCURACY), metric])
    names = [name for name in wanted if name in measured]
    values = {run.label: {name: run.per_user[name].to_numpy(np.float64) for name in names} for run in runs}
    tested = {label: columns[metric] for label, columns in values.items()}
    by_mean = sorted(tested, key=lambda label: -_mean(tested[label]))
    return Comparison(
        settings=replace(settings, baseline=baseline),
        runs=tuple(runs),
        metric=metric,
        accuracy={label: _estimates(columns, settings) for label, columns in values.items()},
        against_baseline=_test_all([(label, baseline) for label in tested if label != baseline], tested, settings),
        pairs=_test_all(list(itertools.combinations(by_mean, 2)), tested, settings) if len(runs) > 2 else (),
        segments=_segments(runs, metric),
        beyond={run.label: _beyond(run, settings.k) for run in runs},
    )


def _check(settings: Settings) -> None:
    for name, value, known in (
        ("test", settings.test, PAIRED_TESTS),
        ("correction", settings.correction, CORRECTIONS),
    ):
        if value not in known:
            raise EvaluationError(f"--{name} must be one of {', '.join(known)}, but it is {value}. Choose one.")
    if not 0 < settings.alpha < 1:
        raise EvaluationError(f"--alpha must be between 0 and 1, but it is {settings.alpha}. 0.05 is usual.")


def _baseline(runs: Sequence[ComparedRun], name: str | None) -> str:
    if name is None:
        return runs[0].label
    for run in runs:
        if name in (run.label, str(run.path), run.path.name):
            return run.label
    raise EvaluationError(
        f"--baseline must be one of the runs ({', '.join(run.label for run in runs)}), but it is {name}. "
        "Give its name in the tables, or its directory as it is given."
    )


def _mean(values: FloatArray) -> float:
    return float(mean_over_users(values[:, None])[0])


def _estimates(columns: dict[str, FloatArray], settings: Settings) -> dict[str, Estimate]:
    values = np.stack(list(columns.values()), axis=1)
    intervals = bootstrap_intervals(values, settings.num_samples, settings.seed, 1 - settings.alpha)
    means = mean_over_users(values).tolist()
    num_users = (~np.isnan(values)).sum(axis=0).tolist()
    return {
        name: Estimate(mean, interval.low, interval.high, users)
        for name, mean, interval, users in zip(columns, means, intervals, num_users, strict=True)
    }


def _test_all(
    pairs: Sequence[tuple[str, str]], values: dict[str, FloatArray], settings: Settings
) -> tuple[PairedComparison, ...]:
    """Test each pair; the p-values are corrected for all ``pairs`` together."""
    found = [
        paired_difference(
            values[first],
            values[second],
            PAIRED_TESTS[settings.test],
            settings.num_samples,
            settings.seed,
            1 - settings.alpha,
        )
        for first, second in pairs
    ]
    corrected = CORRECTIONS[settings.correction](np.array([difference.p_value for difference in found]))
    tested = []
    for (first, second), difference, p_value in zip(pairs, found, corrected.tolist(), strict=True):
        mean = _mean(values[second])
        relative = difference.mean / mean if mean != 0 else float("nan")
        tested.append(PairedComparison(first, second, difference, relative, p_value, p_value < settings.alpha))
    return tuple(tested)


def _segments(runs: Sequence[ComparedRun], metric: str) -> tuple[SegmentMeans, ...]:
    """The tested metric by user activity, and recall by what was held out, at the cut-off that the runs have.

    What was held out is divided by the popularity of its items and, where known items were to be found as well, by
    whether it was new to the user.
    """
    segments = []
    # Runs of one split have the same users in each segment.
    activity = runs[0].per_user[USER_ACTIVITY]
    for name in USER_ACTIVITIES:
        inside = (activity == name).to_numpy()
        means = {run.label: _mean(run.per_user[metric].to_numpy(np.float64)[inside]) for run in runs}
        segments.append(SegmentMeans(USER_ACTIVITY, name, metric, int(inside.sum()), means))
    shared = set.intersection(*({str(column) for column in run.per_user} for run in runs))
    held_out = [*((ITEM_POPULARITY, name) for name in ITEM_POPULARITIES), *((TARGET, name) for name in TARGETS)]
    for group, name in held_out:
        prefix = f"{group}={name}/"
        for column in sorted(column for column in shared if column.startswith(f"{prefix}recall@"))[:1]:
            means = {run.label: _mean(run.per_user[column].to_numpy(np.float64)) for run in runs}
            num_users = int(runs[0].per_user[column].notna().sum())
            segments.append(SegmentMeans(group, name, column.removeprefix(prefix), num_users, means))
    return tuple(segments)


def _beyond(run: ComparedRun, k: int) -> dict[str, float]:
    return {name: run.metrics[f"test/{name}@{k}"] for name in BEYOND_ACCURACY if f"test/{name}@{k}" in run.metrics}
