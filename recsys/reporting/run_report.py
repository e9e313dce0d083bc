"""Prints what a run found: tables of metrics and lists of recommended titles."""

from __future__ import annotations

import numpy as np
import torch
from rich import box
from rich.table import Table
from torch import Tensor

from recsys.cli.console import console
from recsys.data.prepared import PreparedDataset
from recsys.evaluation.model_report import EvaluationReport
from recsys.models.interface.protocols import PredictsRatings, Recommender
from recsys.recommendation.new_user import recommend
from recsys.reporting.evaluation_tables import fixed_negatives_table, metrics_table, ratings_table, segments_table

#: Measures of each table, few enough that a terminal of 80 columns holds them with their intervals.
_TABLES = (
    ("Accuracy", ("ndcg", "recall", "precision", "hit_rate")),
    ("First hits", ("map", "mrr")),
    ("Beyond accuracy", ("coverage", "gini", "novelty", "diversity")),
)


def print_report(assessment: EvaluationReport) -> None:
    """Print the metrics at one cut-off with their intervals, then the segments.

    The cut-off is 10 where it was measured, else the smallest one.
    """
    measured = next(iter(assessment.ranking.values())).per_user
    cut_offs = sorted({int(name.rpartition("@")[2]) for name in measured})
    k = 10 if 10 in cut_offs else cut_offs[0]
    catalogue = {name for result in assessment.ranking.values() for name in result.catalogue}
    for title, names in _TABLES:
        metrics = [f"{name}@{k}" for name in names if f"{name}@{k}" in {*measured, *catalogue}]
        console.print(metrics_table(assessment.ranking, metrics, f"{title}, {assessment.stage}, full catalogue"))
    if assessment.rating:
        console.print(ratings_table(assessment.rating, f"Predicted ratings, {assessment.stage}"))
    if assessment.fixed_negatives:
        console.print(fixed_negatives_table(assessment.fixed_negatives))
    console.print(segments_table(assessment.ranking))


def print_examples(model: Recommender, prepared: PreparedDataset, num_users: int, k: int) -> None:
    """Print recommendations for some users, spread evenly over those with a history.

    Args:
        model: any model, on the CPU.
        prepared: gives the users, their histories and the titles.
        num_users: how many users; 0 prints nothing.
        k: length of each list.
    """
    known = prepared.interactions if isinstance(model, PredictsRatings) else prepared.positives()
    active = torch.from_numpy(np.unique(known.user_index)).long()
    chosen = active[torch.linspace(0, len(active) - 1, min(num_users, len(active))).long()]
    if len(chosen) == 0:
        return
    items, scores = recommend(model, known, prepared.interactions, chosen, k)
    for user, row, row_scores in zip(chosen.tolist(), items, scores, strict=True):
        console.print()
        console.print(
            recommendation_table(prepared, f"For user {prepared.user_vocabulary.ids[user].as_py()}", row, row_scores)
        )


def recommendation_table(prepared: PreparedDataset, heading: str, items: Tensor, scores: Tensor) -> Table:
    """A table of titles and scores.

    Args:
        prepared: gives the titles.
        heading: title of the table.
        items: item indices, best first, shape [K], int64; -1 ends the list.
        scores: shape [K].
    """
    table = Table("rank", "item", "title", "score", title=heading, title_justify="left", box=box.MARKDOWN)
    table.columns[0].justify = table.columns[3].justify = "right"
    kept = items[items >= 0]
    ids = prepared.item_vocabulary.ids_of(kept.numpy()).to_pylist()
    titles = prepared.titles(kept.tolist())
    for rank, (item, title, score) in enumerate(zip(ids, titles, scores.tolist(), strict=False), start=1):
        table.add_row(str(rank), item, title, f"{score:.4g}")
    return table
