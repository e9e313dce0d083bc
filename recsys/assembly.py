"""Builds what a configuration describes: the one place of the library that knows Hydra."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from torch import nn

from recsys.data.interactions import Interactions
from recsys.data.prepared import PreparedDataset
from recsys.data.preparing import load_or_prepare
from recsys.data.split import Split
from recsys.errors import ModelError, RunError
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.protocols import FitsInClosedForm, PretrainsInTowers
from recsys.training.fitting import FitReport
from recsys.training.run_directory import RunDirectory, RunManifest


@dataclass(frozen=True, slots=True)
class TrainedRun:
    """A finished run with its data and its model, ready to be asked.

    Args:
        directory: where it is.
        config: its resolved configuration.
        manifest: its ``run.json``.
        prepared: the data that it was trained on.
        model: its model with the weights of the best epoch, in evaluation mode.
    """

    directory: RunDirectory
    config: DictConfig
    manifest: RunManifest
    prepared: PreparedDataset
    model: nn.Module


def build_data(config: DictConfig) -> PreparedDataset:
    """The prepared data; prepared now where they are not yet."""
    return load_or_prepare(Path(config.paths.prepared_dir), instantiate(config.data), instantiate(config.preparation))


def build_split(config: DictConfig, interactions: Interactions) -> Split:
    """The split of ``interactions``."""
    split: Split = instantiate(config.split).split(interactions)
    return split


def build_model(config: DictConfig, num_users: int, num_items: int) -> nn.Module:
    """A fresh model, its initial weights drawn by the run's seed."""
    torch.manual_seed(config.seed)
    model: nn.Module = instantiate(config.model)(num_users=num_users, num_items=num_items)
    return model


def open_run(path: Path | str) -> TrainedRun:
    """Open a finished run together with its data.

    Raises:
        RunError: the run is missing, unfinished or damaged, or its data are no longer the same.
    """
    directory = RunDirectory.open(path)
    manifest = directory.manifest()
    config = OmegaConf.load(directory.config_path)
    assert isinstance(config, DictConfig)
    prepared = build_data(config)
    manifest.check_data(prepared)
    model = build_model(config, manifest.num_users, manifest.num_items)
    directory.load_model(model)
    return TrainedRun(directory, config, manifest, prepared, model.eval())


def split_of_run(run: TrainedRun) -> tuple[Interactions, Split]:
    """The interactions of a run and their split, the same as in its training.

    Raises:
        RunError: the split could not be made again.
    """
    interactions = run.prepared.positives()
    split = build_split(run.config, interactions)
    run.manifest.check_split(split)
    return interactions, split


def fit_model(
    config: DictConfig,
    model: nn.Module,
    interactions: Interactions,
    split: Split,
    run: RunDirectory,
    print_line: Callable[[str], None],
    listener: Callable[[int, dict[str, float]], None],
    progress_bar: bool,
) -> FitReport:
    """Fit ``model`` on the training part of ``split``: in closed form, or by gradient steps.

    Args:
        config: the configuration of the run.
        model: what to fit, in place.
        interactions: the interactions that ``split`` divides.
        split: validation is used for early stopping where it is not empty.
        run: where checkpoints go; what is there already is gone on with.
        print_line: receives a line for each epoch.
        listener: receives the metrics of each epoch.
        progress_bar: show a bar for the steps of an epoch.

    Raises:
        ModelError: ``pretraining`` is asked of a model without towers.
    """
    train = interactions.take(split.train)
    if isinstance(model, FitsInClosedForm):
        model.fit(train)
        return FitReport([], best_epoch=0, best_value=None)
    validated = len(split.valid) > 0

    def fit_network(network: nn.Module, directory: Path, settings: Any) -> FitReport:
        module = instantiate(settings.training)(
            network=network,
            interactions=train,
            validation=partial(RankingTask.from_split, interactions, split, "valid") if validated else None,
        )
        report: FitReport = instantiate(settings.fitting)(
            module=module,
            trainer=instantiate(settings.trainer),
            checkpoint_directory=directory,
            monitor=settings.fitting.monitor if validated else None,
            resume=True,
            print_line=print_line,
            listener=listener,
            progress_bar=progress_bar,
        )
        return report

    if config.pretraining is not None:
        if not isinstance(model, PretrainsInTowers):
            raise ModelError(
                f"Pre-training needs a model made of towers, but {type(model).__name__} has none. "
                "Leave pretraining=null, or choose model=neumf."
            )
        towers = model.towers()
        if set(config.pretraining) != set(towers):
            raise ModelError(
                f"pretraining must give settings for each tower ({', '.join(towers)}), but it has "
                f"{', '.join(config.pretraining)}. An empty mapping takes the settings of the run."
            )
        for name, tower in towers.items():
            print_line(f"pre-training the {name} tower")
            fit_network(tower, run.checkpoints / name, OmegaConf.merge(config, config.pretraining[name]))
        model.fuse()
        print_line("training the whole network")
    return fit_network(model, run.checkpoints, config)


def begin_run(config: DictConfig, overrides: list[str]) -> tuple[RunDirectory, DictConfig]:
    """Make a new run directory, or go on with the one that ``resume`` names.

    Args:
        config: the composed configuration.
        overrides: what the command line said. On ``resume`` the run's own configuration is used, and of the command
            line only plain values (such as ``trainer.max_epochs=50``) are put on top of it.

    Returns:
        The directory, and the resolved configuration, which is written there.

    Raises:
        RunError: ``resume`` names no run, a finished one, or comes with an override that is no plain value.
    """
    if config.resume is None:
        run = RunDirectory.create(Path(config.paths.runs_dir), config.name)
    else:
        run = RunDirectory(Path(config.resume))
        config = _resumed_config(run, [override for override in overrides if not override.startswith("resume=")])
    OmegaConf.save(config, run.config_path, resolve=True)
    resolved = OmegaConf.load(run.config_path)
    assert isinstance(resolved, DictConfig)
    return run, resolved


def _resumed_config(run: RunDirectory, overrides: list[str]) -> DictConfig:
    if not run.config_path.is_file():
        raise RunError(f"An interrupted run is required to resume, but {run.path} has no {run.config_path.name}.")
    if run.is_finished:
        raise RunError(f"The run {run.path} is finished; there is nothing to resume. Start a new run without resume=.")
    config = OmegaConf.load(run.config_path)
    assert isinstance(config, DictConfig)
    for override in overrides:
        current = OmegaConf.select(config, override.partition("=")[0], default=config)
        if isinstance(current, DictConfig):
            raise RunError(
                f"With resume only single values may be changed, but the command line says {override!r}. "
                "Leave it out: the run keeps the settings that it was started with."
            )
        config.merge_with(OmegaConf.from_dotlist([override]))
    return config
