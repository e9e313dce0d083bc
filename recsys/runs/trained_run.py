"""A finished run, opened with its data and its model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from omegaconf import DictConfig
from torch import nn

from recsys.cli.commands import typed_command
from recsys.data.feedback_view import FeedbackView
from recsys.data.interactions import Interactions
from recsys.data.prepared import PreparedDataset, open_prepared
from recsys.data.split import Split
from recsys.errors import PreparedDataError, RecsysError, RunError
from recsys.models.interface.protocols import PredictsRatings
from recsys.runs.assembly import build_data, build_model, build_split, build_view
from recsys.runs.run_directory import RunDirectory, earlier_version
from recsys.runs.run_manifest import FORMAT_VERSION, RunManifest

#: Parts of the configuration of each run.
_PARTS = ("data", "split", "model", "seed", "trainer", "evaluation", "paths")


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


def open_run(path: Path | str) -> TrainedRun:
    """Open a finished run together with its data.

    Raises:
        RunError: the run is missing, unfinished, damaged or of an earlier version, or its data are no longer the same.
    """
    directory, manifest, config = read_run(path)
    prepared = _data_of_run(directory, config, manifest)
    model = build_model(config.model, config.seed, prepared)
    directory.load_model(model)
    return TrainedRun(directory, config, manifest, prepared, model.eval())


def read_run(path: Path | str) -> tuple[RunDirectory, RunManifest, DictConfig]:
    """What a finished run says of itself, without its data and its model.

    Raises:
        RunError: the run is missing, unfinished, damaged or of an earlier version.
    """
    directory = RunDirectory.open(path)
    manifest = directory.manifest()
    if manifest.format_version != FORMAT_VERSION:
        raise earlier_version(directory.path)
    config = directory.config()
    missing = [name for name in _PARTS if name not in config]
    if missing:
        raise RunError(f"{directory.config_path} is damaged: it has no {', '.join(missing)}. Train again.")
    return directory, manifest, config


def _data_of_run(directory: RunDirectory, config: DictConfig, manifest: RunManifest) -> PreparedDataset:
    """The data that the run keeps, else its prepared directory; prepared anew where it is gone, from the raw files."""
    try:
        kept = directory.data.is_dir()
        prepared = open_prepared(directory.data if kept else Path(manifest.data_directory))
    except PreparedDataError as error:
        if config.data is None:
            raise RunError(
                f"The run {directory.path} was trained on tables in memory, and their prepared data are gone from "
                f"{manifest.data_directory} ({error}). Train again."
            ) from error
        if manifest.parent is not None:  # what was appended is not among the raw files that a preparation reads
            raise RunError(
                f"The run {directory.path} is an update, and its prepared data are gone from {manifest.data_directory} "
                f"({error}). Put them back, or make the update again from {manifest.parent}."
            ) from error
        try:
            prepared = build_data(config)
        except RecsysError as again:
            raise RunError(
                f"The prepared data of the run {directory.path} are gone from {manifest.data_directory} ({error}), and "
                f"could not be prepared again: {again} They may also be put back as they were."
            ) from again
    manifest.check_data(prepared)
    return prepared


def split_of_run(run: TrainedRun) -> tuple[FeedbackView, Split]:
    """The view of a run and its split, the same as in its training.

    Raises:
        RunError: the model was trained on the test rows as well, or the split could not be made again.
    """
    if run.manifest.holds_nothing_out:
        raise RunError(
            f"Interactions that the model was not trained on are required to evaluate it, but {run.directory.path} was "
            f"trained on all of {run.manifest.data_name}. Its metrics.json has what was measured "
            f"({run.manifest.measured}). On newer interactions: {typed_command('compare')} newer=FILE "
            f"runs=[{run.directory.path},OTHER]"
        )
    view = build_view(run.config, run.prepared, run.model)
    split = build_split(run.config, view.interactions)
    run.manifest.check_split(split)
    return view, split


def training_of_run(run: TrainedRun) -> Interactions:
    """The interactions that the model of a run was fitted on.

    Raises:
        RunError: the split could not be made again.
    """
    learns_ratings = isinstance(run.model, PredictsRatings)
    if run.manifest.holds_nothing_out:
        view = build_view(run.config, run.prepared, run.model)
        return view.training_interactions(np.arange(len(view.interactions)), learns_ratings)
    view, split = split_of_run(run)
    return view.training_interactions(split.train, learns_ratings)
