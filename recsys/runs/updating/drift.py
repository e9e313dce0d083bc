"""Compares an updated model with one that was fitted anew, so that updates do not lead astray unseen."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
import torch
from torch import nn

from recsys.data.feedback_view import FeedbackView
from recsys.data.split import Split
from recsys.errors import SettingsError
from recsys.evaluation.known_items import KnownItems
from recsys.evaluation.metrics import RANKING_METRICS
from recsys.evaluation.ranking import RankingEvaluator
from recsys.evaluation.ranking_task import RankingTask
from recsys.evaluation.statistics.paired_tests import PAIRED_TESTS, paired_difference
from recsys.models.interface.protocols import PredictsRatings
from recsys.runs.updating.update_record import DriftCheck
from recsys.runs.updating.update_settings import DriftSettings


def check_drift_settings(settings: DriftSettings) -> None:
    """Require that the comparison can be made, before the models are fitted.

    Raises:
        SettingsError: the metric is not one that is measured for each user, or there are no users to measure on.
    """
    name, _, cut_off = settings.metric.partition("@")
    if name not in RANKING_METRICS or re.fullmatch("[1-9][0-9]*", cut_off) is None:
        known = ", ".join(f"{one}@10" for one in RANKING_METRICS)
        raise SettingsError(
            f"drift.metric must be one of {known}, or one of them at another cut-off, but is {settings.metric}. Choose "
            "one."
        )
    if settings.max_users is not None and settings.max_users < 1:
        raise SettingsError(f"drift.max_users must be 1 or more, or null, but is {settings.max_users}. Correct it.")


def compare_with_refit(
    updated: nn.Module,
    refitted: nn.Module,
    view: FeedbackView,
    split: Split,
    known_items: KnownItems,
    settings: DriftSettings,
    seconds: float,
    device: torch.device,
    part: Literal["valid", "test"] = "valid",
) -> DriftCheck:
    """Measure both models on validation, and the difference user by user.

    Args:
        updated: the updated model.
        refitted: the model fitted anew.
        view: the interactions that ``split`` divides.
        split: with validation.
        known_items: what becomes of items that a user is known to have.
        settings: of the comparison, which :func:`check_drift_settings` has found right.
        seconds: that the refit took.
        device: to measure on.
        part: of the split; a refit whose epochs were chosen on validation looks better there than it is.
    """
    cut_off = int(settings.metric.rpartition("@")[2])
    evaluator = RankingEvaluator([cut_off], max_users=settings.max_users, bootstrap_samples=0, progress=True)
    values = []
    for model in (updated, refitted):
        rates = isinstance(model, PredictsRatings)
        task = RankingTask.from_split(view.interactions, split, part, device, view.positive, rates, known_items)
        model.to(device).eval()
        found = evaluator.evaluate(model, task, None).per_user  # type: ignore[arg-type]
        model.cpu()
        values.append(found[settings.metric])
    difference = paired_difference(values[1], values[0], PAIRED_TESTS["t"], confidence=settings.confidence)
    means = [float(np.nanmean(one)) for one in values]
    return DriftCheck(
        metric=settings.metric,
        num_users=difference.num_users,
        updated=means[0],
        refitted=means[1],
        difference=difference.mean,
        low=difference.interval.low,
        high=difference.interval.high,
        tolerance=settings.tolerance * means[0],
        seconds=round(seconds, 3),
    )
