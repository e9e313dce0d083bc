"""Measures a fitted model on the test rows, and writes the numbers into its run directory."""

from __future__ import annotations

from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from torch import nn

from recsys.data.feedback_view import FeedbackView
from recsys.data.prepared import PreparedDataset
from recsys.data.split import Split
from recsys.distributed.ranks import ranks
from recsys.evaluation.model_report import EvaluationReport, evaluate_model, model_name
from recsys.runs.assembly import build_baseline, build_seen_policy
from recsys.runs.run_directory import RunDirectory


def measure(
    config: DictConfig,
    prepared: PreparedDataset,
    view: FeedbackView,
    split: Split,
    model: nn.Module,
    run: RunDirectory,
    device: torch.device,
    prefix: str = "",
) -> EvaluationReport | None:
    """Evaluate on the test rows beside the baseline, and write the numbers.

    Several ranks that have the same model do so together, and rank 0 alone has the report.

    Args:
        config: of the run.
        prepared: its data.
        view: the interactions that ``split`` divides.
        split: what is known, and what is to be found.
        model: the fitted model.
        run: where the metrics go, and the values of each user.
        device: to evaluate on.
        prefix: stands before the names of the metrics.

    Raises:
        RecsysError: there is nothing to measure.
    """
    baseline: Any = build_baseline(config, prepared)
    baseline.fit(view.training_interactions(split.train, rates=False))
    evaluation = evaluate_model(
        instantiate(config.evaluation),
        baseline,
        prepared,
        view,
        split,
        model,
        device,
        exclude_seen=build_seen_policy(config),
    )
    if not ranks().is_main:
        return None
    name = model_name(model)
    run.save_per_user(evaluation.per_user(name, prepared.user_vocabulary))
    metrics = evaluation.metrics(name) | evaluation.baseline_metrics(name)
    run.save_metrics({f"{prefix}{key}": value for key, value in metrics.items()})
    return evaluation
