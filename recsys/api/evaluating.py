"""Evaluates a fitted model on the held-out part of a split, beside what is most popular."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from recsys.api.composition import set_value
from recsys.api.data_split import DataSplit, SplitPart
from recsys.api.estimator import Estimator
from recsys.api.fitting import Fitted
from recsys.api.python_wording import python_wording
from recsys.api.report import Report
from recsys.cli.config_check import check_config
from recsys.data.split import Split, Stage
from recsys.errors import EvaluationError
from recsys.evaluation.model_report import evaluate_model, model_name
from recsys.models.interface.protocols import Fittable
from recsys.runs.assembly import build_model, build_seen_policy
from recsys.runs.device import training_device


@python_wording
def evaluate(
    model: Estimator,
    split: DataSplit | SplitPart | None = None,
    *,
    stage: Stage | None = None,
    baseline: bool = True,
    exclude_seen: bool | Mapping[str, float] | None = None,
    progress: bool = True,
    **settings: Any,
) -> Report:
    """Rank the whole catalogue for each user with held-out interactions, and measure.

    Args:
        model: fitted.
        split: what is held out; None: the split that the model was fitted on. ``split.valid`` and ``split.test`` name
            the part as well.
        stage: ``valid`` or ``test``; None: the test, unless ``split`` names another part.
        baseline: whether the most popular items are measured as well.
        exclude_seen: whether known items are left out of the lists; None: as in the training of the model. To measure
            "buy again", set it to False and ``repeats="keep"``.
        progress: whether a bar is shown, in a terminal or a notebook.
        settings: of the evaluation, such as ``ks=[10, 100]`` or ``bootstrap_samples=0``.

    Raises:
        EvaluationError: the model has learnt from what is held out, or a setting is out of range.
        ModelError: the model is not fitted.
        SplitError: nothing is held out.
    """
    if not isinstance(model, Estimator):
        raise EvaluationError(
            f"A fitted model of the framework is evaluated, but a {type(model).__name__} came. Fit one: "
            "model = recsys.EASE().fit(split.train)."
        )
    fitted = model.fitted
    if isinstance(split, SplitPart):
        stage, split = stage or _stage_of(split), split.split
    wanted: Stage = stage or "test"
    view, rows = fitted.view, fitted.rows
    if split is not None and split is not fitted.split:
        rows = split.rows(view.kind)
        _check_same_data(fitted, split)
    _check_unseen(fitted, rows, wanted)
    changes = {f"evaluation.{name}": value for name, value in settings.items()}
    changes |= {"evaluation.progress": progress} | ({} if exclude_seen is None else {"exclude_seen": exclude_seen})
    config = _changed(fitted.config, changes)
    with torch.random.fork_rng():
        baseline_model = None
        if baseline:
            baseline_model = build_model(config.baseline, config.seed, fitted.prepared)
            assert isinstance(baseline_model, Fittable), "what is popular is counted"
            baseline_model.fit(view.training_interactions(rows.train, rates=False))
        report = evaluate_model(
            instantiate(config.evaluation),
            baseline_model,
            fitted.prepared,
            view,
            rows,
            fitted.network,
            training_device(config),
            wanted,
            build_seen_policy(config),
        )
    fitted.network.eval()
    return Report(report, model_name(fitted.network), fitted.prepared)


def _stage_of(part: SplitPart) -> Stage:
    if part.name == "valid":
        return "valid"
    if part.name == "test":
        return "test"
    raise EvaluationError(f"A model is evaluated on split.test or split.valid, but split.{part.name} came.")


def _check_same_data(fitted: Fitted, split: DataSplit) -> None:
    """Refuse a split of other data than the model was fitted on."""
    ours, theirs = fitted.prepared.schema, split.data.prepared.schema
    if ours.content_hash != theirs.content_hash:
        raise EvaluationError(
            f"The model was fitted on {ours.name!r}, but the split is of other data ({theirs.name!r}). Fit the model "
            "on this split: model.fit(split.train)."
        )


def _check_unseen(fitted: Fitted, rows: Split, stage: Stage) -> None:
    """Refuse to judge a model by what it has learnt from."""
    held_out = rows.targets(stage)
    learnt = int(np.isin(held_out, fitted.learnt).sum())
    if learnt > 0:
        raise EvaluationError(
            f"The model has learnt from {learnt:,} of the {len(held_out):,} interactions that the {stage} part holds "
            "out, so its numbers would say nothing. Fit it on the training part: model.fit(split.train)."
        )


def _changed(config: DictConfig, changes: Mapping[str, Any]) -> DictConfig:
    """A copy with other values, checked."""
    changed = copy.deepcopy(config)
    OmegaConf.set_struct(changed, True)
    for key, value in changes.items():
        set_value(changed, key, value)
    check_config("train", changed)
    return changed
