"""The split of an updated run: what was held out for test before is never trained on."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from omegaconf import DictConfig

from recsys.data import splitting
from recsys.data.feedback_view import FeedbackView
from recsys.data.split import Split
from recsys.data.splitting.default_split import DefaultSplit
from recsys.data.splitting.hashed import HashSplit
from recsys.data.splitting.predefined import Predefined
from recsys.data.splitting.temporal import Temporal
from recsys.errors import RunError
from recsys.runs.assembly import build_split
from recsys.runs.run_manifest import RunManifest
from recsys.runs.trained_run import TrainedRun, split_of_run

#: Whether test rows stay held out as rows are added: always, depending on these rows, or not.
Steadiness = Literal["stays", "depends", "moves"]


def require_steady_split(config: DictConfig, manifest: RunManifest) -> None:
    """Refuse a run whose split moves once rows are added, from what its configuration says.

    Args:
        config: of the run.
        manifest: of the run.

    Raises:
        RunError: its split moves.
    """
    if not manifest.holds_nothing_out and _steadiness(config) == "moves":
        raise RunError(
            f"A split that stays put is required to update a run, but {_name(config)} holds out other rows once rows "
            "are added, and would train on some that it held out for test before. Train the first run with split=hash "
            "(docs/splits.md)."
        )


def split_of_update(parent: TrainedRun, config: DictConfig, view: FeedbackView) -> Split:
    """The split of the new run.

    Args:
        parent: the run that is updated.
        config: of the new run.
        view: the interactions of the new run, those of ``parent`` first.

    Raises:
        RunError: something that was held out for test would be trained on.
        SplitError: the rows cannot be divided.
    """
    if parent.manifest.holds_nothing_out:
        return Split.of_all(len(view.interactions))
    split = build_split(config, view.interactions)
    if _steadiness(config) == "stays":
        return split
    old_view, old = split_of_run(parent)
    num_users, num_items = view.interactions.num_users, view.interactions.num_items
    tested = replace(old_view.interactions.take(old.test), num_users=num_users, num_items=num_items).pairs
    trained = view.interactions.take(split.train).pairs
    number = int(np.isin(trained, tested).sum())
    if number:
        remedy = "split.min_train=0" if _is(_splitter(config), HashSplit) else "split=hash"
        raise RunError(
            f"A split that stays put is required to update a run, but {_name(config)} would train on {number:,} "
            f"interactions that it held out for test before. Train the first run with {remedy} (docs/splits.md)."
        )
    return split


def may_move(config: DictConfig, manifest: RunManifest) -> bool:
    """Whether only the new rows can tell if :func:`split_of_update` refuses them."""
    return not manifest.holds_nothing_out and _steadiness(config) != "stays"


def holds_no_validation(config: DictConfig, manifest: RunManifest) -> bool:
    """Whether the configuration of a run says that it holds nothing out for validation."""
    trained_on = config.get("refit", False) is True  # runs of earlier versions have no such setting
    return manifest.holds_nothing_out or trained_on or _splitter(config).get("valid_ratio") == 0


def _steadiness(config: DictConfig) -> Steadiness:
    splitter = _splitter(config)
    if _is(splitter, HashSplit):  # a row's part depends on that row alone, or on earlier ones of its user
        return "stays" if splitter.get("min_train", 0) == 0 else "depends"
    if _is(splitter, Temporal) and splitter.get("test_from") is not None:
        return "depends"
    # Data that come split are refused where they are appended to; a splitter of the user's own is looked at.
    is_ours = splitter._target_.startswith(f"{splitting.__name__}.")
    return "moves" if is_ours and not _is(splitter, Predefined) else "depends"


def _splitter(config: DictConfig) -> DictConfig:
    """The settings of the split of data that come unsplit."""
    splitter = config.split
    return splitter.otherwise if _is(splitter, DefaultSplit) else splitter


def _is(settings: DictConfig, of: type) -> bool:
    return bool(settings._target_ == f"{of.__module__}.{of.__name__}")


def _name(config: DictConfig) -> str:
    return str(_splitter(config)._target_.rpartition(".")[2])
