"""Fits a model as ``scripts/train.py`` does: the same configuration, the same plan and code, the same numbers."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from torch import nn

from recsys.api.data_split import DataSplit
from recsys.cli.progress import progress as bars
from recsys.data.feedback_view import FeedbackView
from recsys.data.interactions import IntArray
from recsys.data.prepared import PreparedDataset
from recsys.data.split import Split
from recsys.models.interface.protocols import Fittable, PredictsRatings
from recsys.recommendation.model_recommender import ModelRecommender
from recsys.runs.assembly import build_model, build_view
from recsys.runs.chosen_epochs import ChosenEpochs
from recsys.runs.fit_plan import FitPlan, fit_plan
from recsys.runs.model_fitting import ModelFitter
from recsys.runs.run_manifest import NOTHING, THIS_MODEL, RunManifest, TrainedOn
from recsys.runs.sized_settings import sized_model
from recsys.training.reports.fit_report import FitReport


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted model with all that it was fitted with.

    Args:
        config: of its training.
        split: of the data.
        view: of the data.
        rows: the parts of the split in that view; validation is in training where it was learnt from.
        learnt: the rows that were learnt from, int64.
        trained_on: the same in words.
        epochs_chosen: how the number of epochs came about; empty for a model without epochs.
        network: the model, on the CPU, in evaluation mode.
        report: its epochs.
        seconds: that fitting took.
    """

    config: DictConfig
    split: DataSplit
    view: FeedbackView
    rows: Split
    learnt: IntArray
    trained_on: TrainedOn
    epochs_chosen: str
    network: nn.Module
    report: FitReport
    seconds: float

    @property
    def prepared(self) -> PreparedDataset:
        """The data."""
        return self.split.data.prepared

    @cached_property
    def recommender(self) -> ModelRecommender:
        """Answers requests, of which all interactions of the data are known."""
        network: Any = self.network
        return ModelRecommender(
            network,
            self.prepared,
            name=str(self.config.name),
            training=self.view.training_interactions(self.learnt, isinstance(network, PredictsRatings)),
            exclude_seen=self.config.get("exclude_seen", True),
        )

    def without_recommender(self) -> Fitted:
        """The same, for a process that makes its own."""
        return replace(self)

    def manifest(self, measured: bool) -> RunManifest:
        """What a run directory says of it.

        Args:
            measured: whether its metrics are kept as well.
        """
        return RunManifest.of(
            self.prepared,
            self.rows,
            self.report.best_epoch,
            self.seconds,
            self.view.kind,
            self.trained_on,
            self.epochs_chosen,
            THIS_MODEL if measured or self.trained_on != "all interactions" else NOTHING,
        )


def fit_model(config: DictConfig, split: DataSplit, progress: bool) -> Fitted:
    """Build and fit the model of a configuration.

    Where the model is trained in epochs and on more than the training part, a first fit finds on validation how many.
    The random numbers of the process are left as they were.

    Args:
        config: of ``configs/train.yaml``, resolved.
        split: of the data.
        progress: whether there are bars.

    Raises:
        RecsysError: the settings or the data do not suit the model.
    """
    prepared = split.data.prepared
    with torch.random.fork_rng(), bars.switched(progress):
        config = config.copy()
        config.model, _ = sized_model(config.model, prepared)
        model = build_model(config.model, config.seed, prepared)
        view = build_view(config, prepared, model)
        plan = fit_plan(config, view.interactions, model)
        ModelFitter(config, view, plan.checked).check(model)
        start = time.perf_counter()
        model, report = _fit(config, view, plan, model, prepared)
    return Fitted(
        config=config,
        split=split,
        view=view,
        rows=plan.split,
        learnt=plan.last.train,
        trained_on=plan.trained_on,
        epochs_chosen=plan.epochs_chosen,
        network=model.eval(),
        report=report,
        seconds=time.perf_counter() - start,
    )


def _fit(
    config: DictConfig, view: FeedbackView, plan: FitPlan, model: nn.Module, prepared: PreparedDataset
) -> tuple[nn.Module, FitReport]:
    """The fits of the plan; a fit that is only measured is left out."""
    epochs = plan.epochs
    with tempfile.TemporaryDirectory() as directory:
        if plan.first is not None and epochs is None and not isinstance(model, Fittable):
            first = Path(directory) / "first"
            ModelFitter(config, view, plan.first, checkpoints=first).fit(model)
            model, epochs = build_model(config.model, config.seed, prepared), ChosenEpochs(first)
        last = ModelFitter(config, view, plan.last, checkpoints=Path(directory) / "last", epochs=epochs)
        return model, last.fit(model)
