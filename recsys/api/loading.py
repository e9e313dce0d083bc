"""Opens a run that was saved, with its data and its model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig, OmegaConf

from recsys.api.data_split import DataSplit
from recsys.api.dataset import Dataset
from recsys.api.estimator import COMMON, Estimator
from recsys.api.estimator_class import estimator_class
from recsys.api.fitting import Fitted
from recsys.api.python_wording import python_wording
from recsys.cli.model_choices import ModelChoice, model_choices, without_targets
from recsys.runs.assembly import build_view
from recsys.runs.trained_run import open_run
from recsys.training.reports.fit_report import FitReport


@python_wording
def load_run(path: str | Path) -> Estimator:
    """Open a run directory, of a command or of ``model.save``, as a fitted model.

    Raises:
        RunError: it is missing, unfinished or damaged, or its data are no longer the same.
    """
    return opened_run(path)


def opened_run(path: str | Path) -> Estimator:
    """As :func:`load_run`, with messages in the words of the command line.

    Raises:
        RunError: it is missing, unfinished or damaged, or its data are no longer the same.
    """
    run = open_run(path)
    config = run.config
    data = Dataset(run.prepared, _data_config(config))
    split = DataSplit(data, config.split, config.get("view"))
    view, rows = build_view(config, run.prepared, run.model), split.rows(run.manifest.view)
    if run.manifest.trained_on == "training and validation" or config.get("refit") is True:
        rows = rows.with_validation_in_training()
    run.manifest.check_split(rows)
    choice = model_choices()[str(config.model["_target_"]).rpartition(".")[2]]
    estimator = estimator_class(choice.class_name)(**_settings_of(config, choice))
    estimator._fitted = Fitted(
        config=config,
        split=split,
        view=view,
        rows=rows,
        learnt=np.arange(len(view.interactions)) if run.manifest.holds_nothing_out else rows.train,
        trained_on=run.manifest.trained_on,
        epochs_chosen=run.manifest.epochs_chosen,
        network=run.model,
        report=FitReport([], run.manifest.best_epoch, None),
        seconds=run.manifest.fit_seconds,
    )
    return estimator


def _data_config(config: DictConfig) -> DictConfig | None:
    if config.get("data") is None:
        return None
    parts = OmegaConf.create({key: config[key] for key in ("data", "preparation", "paths")})
    assert isinstance(parts, DictConfig)
    return parts


def _settings_of(config: DictConfig, choice: ModelChoice) -> dict[str, Any]:
    """The settings of a run that are not the model's defaults."""
    model: Any = without_targets(OmegaConf.to_container(config.model, resolve=True))
    settings = {name: model[name] for name, default in choice.own.items() if name in model and model[name] != default}
    for name in ("seed", "exclude_seen", "weight_transform"):
        if name in config and config[name] != COMMON[name]:
            settings[name] = config[name]
    return settings
