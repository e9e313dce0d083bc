"""Builds what a configuration describes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from torch import nn

from recsys.data.feedback_view import FeedbackView
from recsys.data.interactions import IntArray, Interactions
from recsys.data.prepared import PreparedDataset, open_prepared
from recsys.data.preparing import load_or_prepare
from recsys.data.sentence_vectors import sentence_vectors
from recsys.data.split import Split
from recsys.errors import DataError, ModelError, PreparedDataError, RunError
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.interface.pair_recommender import as_recommender
from recsys.models.interface.protocols import (
    Fittable,
    PredictsRatings,
    PretrainsInTowers,
    RanksCandidates,
    UsesItemFeatures,
    UsesUserFeatures,
)
from recsys.runs.run_directory import RunDirectory, RunManifest
from recsys.training.epoch_history import Listener
from recsys.training.fitting import FitReport
from recsys.training.listwise import ListwiseModule
from recsys.training.stacking import CandidateLists, stack

#: What a source that learns by gradient steps may have of its own.
SOURCE_SETTINGS = ("training", "trainer", "fitting", "pretraining")


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
    """The split of ``interactions``; with ``refit`` its validation is trained on as well."""
    split: Split = instantiate(config.split).split(interactions)
    # Runs of earlier versions have no such setting.
    return split.with_validation_in_training() if config.get("refit", False) else split


def build_model(config: DictConfig, seed: int, prepared: PreparedDataset) -> nn.Module:
    """A fresh model for the users and items of ``prepared``.

    Args:
        config: that of the model alone.
        seed: of its initial weights.
        prepared: gives the sizes, and the items' features and texts to a model that reads them.
    """
    torch.manual_seed(seed)
    sizes = prepared.schema
    network = instantiate(config)(num_users=sizes.num_users, num_items=sizes.num_items)
    model: nn.Module = as_recommender(network, sizes.num_items)
    if isinstance(model, UsesItemFeatures):
        model.set_item_features(prepared.item_features())
    if isinstance(model, UsesUserFeatures):
        model.set_user_features(prepared.user_features())
    if isinstance(model, UsesItemFeatures) and (sentence_model := model.sentence_encoder()) is not None:
        model.set_sentence_vectors(sentence_vectors(prepared, sentence_model))
    return model


def open_run(path: Path | str) -> TrainedRun:
    """Open a finished run together with its data.

    Raises:
        RunError: the run is missing, unfinished or damaged, or its data are no longer the same.
    """
    directory = RunDirectory.open(path)
    manifest = directory.manifest()
    config = directory.config()
    prepared = _data_of_run(config, manifest)
    model = build_model(config.model, config.seed, prepared)
    directory.load_model(model)
    return TrainedRun(directory, config, manifest, prepared, model.eval())


def _data_of_run(config: DictConfig, manifest: RunManifest) -> PreparedDataset:
    """The prepared directory of the run; prepared anew where it is gone, which needs the raw files."""
    try:
        prepared = open_prepared(Path(manifest.data_directory))
    except PreparedDataError:
        prepared = build_data(config)
    manifest.check_data(prepared)
    return prepared


def build_view(config: DictConfig, prepared: PreparedDataset, model: nn.Module) -> FeedbackView:
    """The data as ``view`` asks: likes, ratings or, where it is null, what ``model`` learns from.

    Raises:
        DataError: the view or the model needs ratings, but the data have none.
        RunError: there is no such view.
    """
    rates = isinstance(model, PredictsRatings)
    asked = config.get("view")  # runs of version 0.1 have none
    if asked not in (None, "implicit", "explicit"):
        raise RunError(f"view must be implicit, explicit or null, but it is {asked}. Correct it.")
    if rates and prepared.interactions.rating is None:
        raise DataError(
            f"{type(model).__name__} predicts ratings, but {prepared.schema.name} has none. Choose a model that learns "
            "from interactions alone, or give data with a rating column."
        )
    explicit = asked == "explicit" or (asked is None and rates)
    return FeedbackView.explicit(prepared) if explicit else FeedbackView.implicit(prepared)


def split_of_run(run: TrainedRun) -> tuple[FeedbackView, Split]:
    """The view of a run and its split, the same as in its training.

    Raises:
        RunError: the split could not be made again.
    """
    view = build_view(run.config, run.prepared, run.model)
    split = build_split(run.config, view.interactions)
    run.manifest.check_split(split)
    return view, split


def fit_model(
    config: DictConfig,
    model: nn.Module,
    view: FeedbackView,
    split: Split,
    run: RunDirectory,
    print_line: Callable[[str], None],
    listener: Listener,
    progress_bar: bool,
) -> FitReport:
    """Fit ``model`` on the training part of ``split``: in closed form, or by gradient steps.

    Args:
        config: the configuration of the run.
        model: what to fit, in place.
        view: the interactions that ``split`` divides; a model that does not predict ratings learns from the likes.
        split: validation is used for early stopping where it is not empty.
        run: where checkpoints go; what is there already is gone on with.
        print_line: receives a line for each epoch.
        listener: receives the metrics of each epoch; those of towers in pre-training are not told.
        progress_bar: show a bar for the steps of an epoch.

    Raises:
        ModelError: ``pretraining`` is asked of a model without towers, or has settings that do not exist.
        RunError: the device that is asked for is not there.
    """
    rates = isinstance(model, PredictsRatings)
    train = view.training_interactions(split.train, rates)
    if isinstance(model, Fittable):
        model.to(training_device(config))
        model.fit(train)
        model.cpu()
        return FitReport([], best_epoch=0, best_value=None)
    if isinstance(model, RanksCandidates):
        lists = _lists_for(config, model, view, split, run, print_line)
        print_line(f"training the ranker on {len(lists):,} lists of up to {lists.items.shape[1]:,} candidates")
    validated = len(split.valid) > 0
    validation = partial(
        RankingTask.from_split, view.interactions, split, "valid", positive=view.positive, rated_histories=rates
    )

    def fit_network(network: nn.Module, directory: Path, settings: DictConfig, heard: Listener | None) -> FitReport:
        module = instantiate(settings.training)(
            network=network,
            interactions=train,
            validation=validation if validated else None,
            **({"lists": lists} if isinstance(network, RanksCandidates) else {}),
        )
        report: FitReport = instantiate(settings.fitting)(
            module=module,
            trainer=instantiate(settings.trainer, accelerator=accelerator(settings)),
            checkpoint_directory=directory,
            monitor=settings.fitting.monitor if validated else None,
            resume=True,
            print_line=print_line,
            listener=heard,
            progress_bar=progress_bar,
        )
        return report

    if config.pretraining is not None:
        if not isinstance(model, PretrainsInTowers):
            raise ModelError(
                f"Pre-training needs a model made of towers, but {type(model).__name__} has none. "
                "Leave pretraining=null, or choose a model such as neumf."
            )
        for name, (tower, settings) in _tower_settings(config, model).items():
            print_line(f"pre-training the {name} tower")
            fit_network(tower, run.checkpoints / name, settings, None)
        model.fuse()
        print_line("training the whole network")
    return fit_network(model, run.checkpoints, config, listener)


def _lists_for(
    config: DictConfig,
    model: nn.Module,
    view: FeedbackView,
    split: Split,
    run: RunDirectory,
    print_line: Callable[[str], None],
) -> CandidateLists:
    """Fit the sources of ``model`` on the training part, and copies of them without each fold, which give the lists.

    Raises:
        ModelError: the training is not one of lists, or the settings of a source do not exist.
    """
    assert isinstance(model, RanksCandidates), "checked by the caller"
    if not issubclass(instantiate(config.training).func, ListwiseModule):
        raise ModelError(
            f"{type(model).__name__} ranks what other models retrieve, and is trained on lists of candidates. Use "
            "training=listwise; how its sources are trained is said by source_training."
        )
    settings = {name: _source_settings(config, model, name) for name in model.source_models()}
    likes = split.train[view.positive[split.train]]

    def fit_sources(sources: dict[str, nn.Module], held_out: IntArray, place: str) -> None:
        rest = replace(split, train=np.setdiff1d(split.train, held_out))
        for name, source in sources.items():
            print_line(f"{place}: fitting {name}")
            directory = RunDirectory(run.checkpoints / "sources" / place / name)
            fit_model(settings[name], source, view, rest, directory, print_line, lambda *epoch: None, False)

    lists = stack(
        model,
        view.interactions.take(likes),
        instantiate(config.stacking_folds),
        instantiate(config.candidate_selector),
        lambda sources, held_out, place: fit_sources(sources, likes[held_out], place),
        training_device(config),
        config.seed,
    )
    fit_sources(model.source_models(), np.empty(0, dtype=np.int64), "all")
    model.observe_training(view.interactions.take(likes))
    return lists


def _source_settings(config: DictConfig, model: RanksCandidates, name: str) -> DictConfig:
    """The configuration that the source ``name`` is fitted with: that of the run, changed by ``sources_training``.

    Raises:
        ModelError: ``sources_training`` has a source or a setting that does not exist.
    """
    unknown = [source for source in config.sources_training if source not in model.source_models()]
    if unknown:
        raise ModelError(
            f"source_training must be of sources ({', '.join(model.source_models())}), but it has "
            f"{', '.join(unknown)}. Leave it out, or add the source to model.sources."
        )
    settings = config.copy()
    settings.pretraining = None
    settings.sources_training = {}
    for key, value in config.sources_training.get(name, {}).items():
        if key not in SOURCE_SETTINGS:
            raise ModelError(
                f"source_training.{name} may have {', '.join(SOURCE_SETTINGS)}, but it has {key}. Leave it out."
            )
        # Another kind of training has other keys; of the rest only what differs is given.
        settings[key] = value if key in ("training", "pretraining") else OmegaConf.merge(settings[key], value)
    return settings


def _tower_settings(config: DictConfig, model: PretrainsInTowers) -> dict[str, tuple[nn.Module, DictConfig]]:
    """Each tower with the configuration of the run, changed as ``pretraining`` says."""
    towers = model.towers()
    if set(config.pretraining) != set(towers):
        raise ModelError(
            f"pretraining must give settings for each tower ({', '.join(towers)}), but it has "
            f"{', '.join(config.pretraining)}. An empty mapping takes the settings of the run."
        )
    settings = {}
    for name, tower in towers.items():
        changes = config.pretraining[name]
        if not set(changes) <= {"training", "trainer"}:
            raise ModelError(
                f"pretraining.{name} may change training and trainer, but it has {', '.join(changes)}. The optimiser "
                "is training.optimizer, its schedule training.scheduler."
            )
        allowed = config.copy()
        OmegaConf.set_struct(allowed, True)
        try:
            allowed.merge_with(changes)
        except OmegaConfBaseException as error:
            raise ModelError(
                f"pretraining.{name} has a key that the run does not know ({error}). Correct it."
            ) from error
        settings[name] = (tower, allowed)
    return settings


def training_device(config: DictConfig) -> torch.device:
    """The device that :func:`accelerator` names.

    Raises:
        RunError: it is not there.
    """
    return torch.device("cuda" if accelerator(config) == "gpu" else "cpu")


def accelerator(config: DictConfig) -> str:
    """What to train on: for ``auto`` a CUDA GPU where there is one, else the CPU.

    Apple's GPU is left out, as it has no float64, which the metrics are computed in.

    Raises:
        RunError: another kind of device, or a GPU that is not there, is asked for, or more than one device.
    """
    asked = config.trainer.accelerator
    available = torch.cuda.is_available()
    if asked not in ("auto", "cpu", "gpu", "cuda") or (asked in ("gpu", "cuda") and not available):
        found = "there is a CUDA GPU" if available else "there is no CUDA GPU"
        raise RunError(f"trainer.accelerator must be auto, cpu or gpu, and {found}; it is {asked}. Choose another.")
    if config.trainer.devices != 1:
        raise RunError(f"Training runs on one device, but trainer.devices={config.trainer.devices}. Set it to 1.")
    return "cpu" if asked == "cpu" or not available else "gpu"
