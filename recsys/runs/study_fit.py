"""Fits of a study that measures a model on several splits, with ``refit=true`` as ``scripts/train.py`` has it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from omegaconf import DictConfig
from torch import nn

from recsys.data.feedback_view import FeedbackView
from recsys.data.split import Split
from recsys.errors import RunError
from recsys.models.interface.protocols import Fittable
from recsys.runs.chosen_epochs import ChosenEpochs
from recsys.runs.model_fitting import ModelFitter
from recsys.training.reports.fit_report import FitReport


def check_study_refit(config: DictConfig) -> None:
    """Refuse what has a meaning for a single training alone.

    Raises:
        RunError: ``refit`` is ``all``, or there is a ``chosen_by`` or ``settings_of``.
    """
    if config.refit == "all":
        raise RunError(
            "A study measures on rows that it does not train on, but refit=all trains on all of them. Use refit=true, "
            "which adds the validation rows, or scripts/train.py for a model that goes live."
        )
    if config.chosen_by is not None:
        raise RunError(
            "chosen_by names the run that chose the epochs of one training, but a study makes several. Leave it out: "
            "with refit=true each fit chooses its own on validation, and refit_epochs=N gives one number for all."
        )
    if config.get("settings_of") is not None:
        raise RunError(
            "settings_of repeats the training of a bundle, which scripts/train.py does. Leave it out, and give the "
            "settings of the study themselves."
        )


def measured_split(config: DictConfig, apart: Split) -> Split:
    """The rows that a fit of a study learns from in the end: with ``refit=true`` those of validation as well."""
    return apart.with_validation_in_training() if config.refit is True else apart


def fit_in_study(
    config: DictConfig,
    view: FeedbackView,
    apart: Split,
    build: Callable[[], nn.Module],
    print_line: Callable[[str], None],
) -> tuple[nn.Module, FitReport]:
    """Fit a model once or, where validation is trained on and must first choose the epochs, twice.

    Args:
        config: resolved, which :func:`check_study_refit` has let through.
        view: the interactions.
        apart: their split, with validation apart from training.
        build: makes a fresh model.
        print_line: receives a line for each epoch.

    Returns:
        The fitted model, and the report of its last fit.

    Raises:
        RunError: ``refit`` is true for a model with epochs, and there is neither validation nor ``refit_epochs``.
        RecsysError: the model cannot be fitted.
    """
    model, rows = build(), measured_split(config, apart)
    if rows is apart or isinstance(model, Fittable):
        return model, ModelFitter(config, view, rows, print_line=print_line).fit(model)
    with tempfile.TemporaryDirectory() as directory:
        epochs = None if config.refit_epochs is None else ChosenEpochs(None, config.refit_epochs)
        if epochs is None:
            if len(apart.valid) == 0:
                raise RunError(
                    "refit=true trains for as many epochs as are best on validation, but the split has no validation. "
                    "Give it a share (split.valid_ratio=0.1), or give refit_epochs=N."
                )
            first = Path(directory) / "first"
            ModelFitter(config, view, apart, checkpoints=first, print_line=print_line).fit(model)
            model, epochs = build(), ChosenEpochs(first)
            print_line(f"now on training and validation, for {epochs.in_words()}")
        last = Path(directory) / "last"
        return model, ModelFitter(config, view, rows, last, print_line, epochs=epochs).fit(model)
