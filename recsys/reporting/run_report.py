"""Prints the report of a run: tables of metrics and lists of recommended titles."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from rich.console import Console

from recsys.cli.console import console
from recsys.data.prepared import PreparedDataset
from recsys.data.row_numbers import count_each
from recsys.evaluation.known_items import ONLY_NEW
from recsys.evaluation.model_report import EvaluationReport
from recsys.evaluation.statistics.significance import narrow_intervals_note
from recsys.evaluation.target_segments import TARGET
from recsys.models.interface.protocols import PredictsRatings, ScoringModel
from recsys.recommendation.model_recommender import ModelRecommender
from recsys.reporting.evaluation_tables import (
    cut_offs_table,
    fixed_negatives_table,
    metrics_table,
    ratings_table,
    segments_table,
)
from recsys.reporting.recommendation_table import recommendation_table
from recsys.retrieval.seen_policy import SeenPolicy
from recsys.runs.run_manifest import CARRIED_PREFIX, THIS_MODEL, RunManifest
from recsys.runtime.request import RecommendationRequest

#: Numbers of another fit that are printed beside a word on where they come from.
_CARRIED = ("ndcg@10", "recall@10", "rmse")

#: Metrics of each table, few enough for a terminal of 80 columns with their intervals.
_TABLES = (
    ("Accuracy", ("ndcg", "recall", "precision")),
    ("First hits", ("hit_rate", "map", "mrr")),
    ("Beyond accuracy", ("coverage", "gini", "novelty", "diversity")),
)


def print_report(report: EvaluationReport, target: Console | None = None) -> None:
    """Print the metrics at one cut-off with their intervals, the means at all cut-offs, then the segments.

    The cut-off with intervals is 10 if it was evaluated, otherwise the smallest one. It goes to the console of the
    commands, unless another target is given.
    """
    target = target or console
    measured = next(iter(report.ranking.values())).per_user
    cut_offs = sorted({int(name.rpartition("@")[2]) for name in measured})
    k = 10 if 10 in cut_offs else cut_offs[0]
    catalogue = {name for result in report.ranking.values() for name in result.catalogue}
    for title, names in _TABLES:
        metrics = [f"{name}@{k}" for name in names if f"{name}@{k}" in {*measured, *catalogue}]
        target.print(metrics_table(report.ranking, metrics, f"{title}, {report.stage}, full catalogue"))
    if len(cut_offs) > 1:
        target.print(cut_offs_table(report.ranking, f"All cut-offs, {report.stage}"))
    results = list(report.ranking.values())
    if results[-1].intervals and (caution := narrow_intervals_note(results[-1].per_user[f"ndcg@{k}"])):
        target.print(f"note: {caution}", markup=False, highlight=False)
    for note in (users_note(report), known_note(report)):
        if note:
            target.print(note, markup=False, highlight=False)
    if report.rating:
        target.print(ratings_table(report.rating, f"Predicted ratings, {report.stage}"))
    if report.fixed_negatives:
        target.print(fixed_negatives_table(report.fixed_negatives))
    target.print(segments_table(report.ranking))


def print_origin(manifest: RunManifest, metrics: Mapping[str, float]) -> None:
    """Print what the kept weights were fitted to, and what the numbers are of, where that needs a word.

    Args:
        manifest: of the finished run.
        metrics: its ``metrics.json``.
    """
    if manifest.trained_on == "training":
        return
    number = manifest.best_epoch
    epochs = f", for {number} epoch{'s' * (number != 1)} ({manifest.epochs_chosen})" if manifest.epochs_chosen else ""
    console.print(f"this model was trained on {manifest.trained_on}{epochs}", markup=False)
    if manifest.measured == THIS_MODEL:
        return
    names = [name for name in _CARRIED if f"{CARRIED_PREFIX}test/{name}" in metrics]
    numbers = ", ".join(f"{name} {metrics[f'{CARRIED_PREFIX}test/{name}']:.4f}" for name in names)
    console.print(f"measured {manifest.measured}" + (f": {numbers}" if numbers else ""), markup=False)


def users_note(report: EvaluationReport) -> str | None:
    """That the lists are those of a sample of the users, and of how many; None where they are of all."""
    result = next(iter(report.ranking.values()))
    if result.sampled_from is None:
        return None
    return (
        f"these numbers are of a random sample of {len(result.users):,} of {result.sampled_from:,} users "
        "(evaluation.max_users); intervals are as wide as so few make them, and coverage is that of their lists alone."
    )


def known_note(report: EvaluationReport) -> str | None:
    """What share of the held-out interactions was known before, and what that means; None where it is zero."""
    result = next(iter(report.ranking.values()))
    if result.known_share == 0:
        return None
    share = f"{result.known_share:.1%} of the {report.stage} pairs of a user and an item were known before"
    if any(segment.group == TARGET for segment in result.segments):
        return (
            f"{share}; they are to be found again, and the segments {TARGET}=new and {TARGET}=repeated tell how well."
        )
    return f"{share} and are left out of these numbers. evaluation.repeats=keep tests them as well."


def print_examples(
    model: ScoringModel,
    prepared: PreparedDataset,
    num_users: int,
    k: int,
    exclude_seen: SeenPolicy = ONLY_NEW.exclude_seen,
) -> None:
    """Print recommendations for some users, spread evenly over those with a history.

    Args:
        model: the model, on the CPU.
        prepared: the data set, which has the users, their histories and the titles.
        num_users: number of users; 0 prints nothing.
        k: length of each list.
        exclude_seen: which items that a user has are left out.
    """
    if num_users == 0:
        return
    known = prepared.interactions if isinstance(model, PredictsRatings) else prepared.positives()
    active = np.flatnonzero(count_each(known.user_index, known.num_users))
    chosen = active[torch.linspace(0, len(active) - 1, min(num_users, len(active))).long().numpy()]
    if len(chosen) == 0:
        return
    users = prepared.user_vocabulary.ids_of(chosen).to_pylist()
    requests = [RecommendationRequest(user_id=user, k=k) for user in users]
    recommender = ModelRecommender(model, prepared, exclude_seen=exclude_seen, users=chosen)
    for user, recommendation in zip(users, recommender.recommend(requests), strict=True):
        console.print(recommendation_table(prepared.titles_of, f"For user {user}", recommendation))
