"""Builds what a configuration describes: data, split, model and view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from torch import nn

from recsys.data.data_warnings import collected_warnings, tell_again
from recsys.data.feedback_view import FeedbackView
from recsys.data.interactions import Interactions
from recsys.data.prepared import PreparedDataset
from recsys.data.preparing import load_or_prepare
from recsys.data.readers.prepared import PreparedReader
from recsys.data.sentence_vectors import sentence_vectors
from recsys.data.split import Split
from recsys.data.weight_transform import WeightTransform
from recsys.errors import DataError, RunError
from recsys.evaluation.known_items import ONLY_NEW, KnownItems
from recsys.models.interface.pair_recommender import as_recommender
from recsys.models.interface.protocols import (
    Fittable,
    PredictsRatings,
    UsesItemFeatures,
    UsesUserFeatures,
)
from recsys.reporting.preparation_report import print_preparation
from recsys.retrieval.seen_policy import SeenPolicy
from recsys.runs.sized_settings import sized_model


def build_data(
    config: DictConfig, on_prepared: Callable[[PreparedDataset], None] = print_preparation
) -> PreparedDataset:
    """The prepared data; prepared now where they are not yet.

    Args:
        config: ``data``, ``preparation``, ``paths`` and perhaps ``strict``.
        on_prepared: is told of data that were prepared now; by default, what was found in them is printed.

    Raises:
        DataError: see :func:`recsys.data.preparing.load_or_prepare`; or there are warnings about the data, and
            ``strict`` makes them errors.

    Warns:
        DataWarning: something about the data is seldom meant.
    """
    reader, preparation = instantiate(config.data), instantiate(config.preparation)
    with collected_warnings() as warned:
        if isinstance(reader, PreparedReader):
            prepared = reader.open()
        else:
            prepared = load_or_prepare(Path(config.paths.prepared_dir), reader, preparation, on_prepared)
    if warned and config.get("strict", False):
        raise DataError(
            f"strict=true makes {len(warned)} warning{'s' if len(warned) > 1 else ''} about the data an error: "
            f"{' '.join(warned)}"
        )
    tell_again(warned)
    return prepared


def build_split(config: DictConfig, interactions: Interactions, refit: bool = True) -> Split:
    """The split of ``interactions``, with which a model is measured.

    Args:
        config: of the run; with ``refit: true`` its validation is trained on as well.
        interactions: to be split.
        refit: False leaves the validation apart in any case.
    """
    split: Split = instantiate(config.split).split(interactions)
    # Runs of earlier versions have no such setting.
    return split.with_validation_in_training() if refit and config.get("refit", False) is True else split


def build_model(config: DictConfig, seed: int, prepared: PreparedDataset) -> nn.Module:
    """A fresh model for the users and items of ``prepared``.

    Args:
        config: that of the model alone; what is ``auto`` there the model chooses by the size of the data.
        seed: of its initial weights.
        prepared: gives the sizes, and the items' features and texts to a model that reads them.
    """
    torch.manual_seed(seed)
    sizes = prepared.schema
    config, _ = sized_model(config, prepared)
    network = instantiate(config)(num_users=sizes.num_users, num_items=sizes.num_items)
    model: nn.Module = as_recommender(network, sizes.num_items)
    if isinstance(model, UsesItemFeatures):
        model.set_item_features(prepared.item_features())
    if isinstance(model, UsesUserFeatures):
        model.set_user_features(prepared.user_features())
    if isinstance(model, UsesItemFeatures) and (sentence_model := model.sentence_encoder()) is not None:
        model.set_sentence_vectors(sentence_vectors(prepared, sentence_model))
    return model


def build_seen_policy(config: DictConfig) -> SeenPolicy:
    """Which items that a user is known to have are left out of lists, as ``exclude_seen`` says.

    Raises:
        SettingsError: it is neither true, false nor ``{after_days: N}``.
    """
    return SeenPolicy.parse(config.get("exclude_seen", True))  # runs of earlier versions have no such setting


def build_known_items(config: DictConfig, run_config: DictConfig | None = None) -> KnownItems:
    """What an evaluation does with items that a user is known to have.

    Args:
        config: with ``exclude_seen`` and ``evaluation.repeats``.
        run_config: the configuration of a finished run, whose settings count where those of ``config`` are null.

    Raises:
        SettingsError: ``exclude_seen`` is neither true, false nor ``{after_days: N}``.
        EvaluationError: ``evaluation.repeats`` is neither drop nor keep.
    """
    of_run = ONLY_NEW if run_config is None else build_known_items(run_config)
    exclude_seen = of_run.exclude_seen if config.get("exclude_seen") is None else build_seen_policy(config)
    evaluation = config.get("evaluation") or {}
    repeats = evaluation.get("repeats")
    return KnownItems(exclude_seen, of_run.repeats if repeats is None else repeats)


def build_baseline(config: DictConfig, prepared: PreparedDataset) -> nn.Module:
    """What a model is compared with, not fitted yet.

    Args:
        config: of the run.
        prepared: its data.

    Raises:
        RunError: it is not fitted at once, so that its own training would have to be said.
    """
    baseline = build_model(config.baseline, config.seed, prepared)
    if not isinstance(baseline, Fittable):
        raise RunError(
            f"baseline must be a model that is fitted at once, such as Popularity, but {type(baseline).__name__} "
            "learns by gradient steps. Train it as a run of its own, and compare the two."
        )
    return baseline


def build_view(config: DictConfig, prepared: PreparedDataset, model: nn.Module) -> FeedbackView:
    """The data as ``view`` asks: likes, ratings or, where it is null, what ``model`` learns from.

    Raises:
        DataError: the view or the model needs ratings, but the data have none.
        RunError: there is no such view, or no such transform of weights.
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
    transform = config.get("weight_transform", "none")
    if transform not in get_args(WeightTransform):
        raise RunError(
            f"weight_transform must be {' or '.join(get_args(WeightTransform))}, but it is {transform}. Correct it."
        )
    view = FeedbackView.explicit(prepared) if explicit else FeedbackView.implicit(prepared)
    return replace(view, weight_transform=transform)
