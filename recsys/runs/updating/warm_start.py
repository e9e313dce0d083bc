"""Fits a model to the data of a new generation from the model of the one before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from hydra.utils import get_object
from torch import Tensor, nn

from recsys.data.row_numbers import RowArray
from recsys.data.training_change import TrainingChange
from recsys.evaluation.model_report import model_name
from recsys.models.interface.earlier_fit import EarlierFit
from recsys.models.interface.protocols import Fittable, PredictsRatings, RanksCandidates
from recsys.runs.chosen_epochs import ChosenEpochs
from recsys.runs.device import training_device
from recsys.runs.model_fitting import ModelFitter
from recsys.runs.run_directory import RunDirectory
from recsys.runs.trained_run import TrainedRun, training_of_run
from recsys.runs.updating.grown_weights import grow, grown_optimizer_state, learned_matrices, shrink
from recsys.runs.updating.update_settings import OptimizerStart, UpdateSettings
from recsys.training.checkpointing.checkpoint_errors import checkpoint_errors
from recsys.training.reports.fit_report import LAST_CHECKPOINT, FitReport


@dataclass(frozen=True, slots=True)
class WarmFit:
    """What fitting from an earlier model gave.

    Args:
        report: of the training; without epochs for a model that is fitted at once.
        how: what was done, in words.
        is_updated: False where the model was fitted anew.
        change: how the training rows differ from those of before.
        statistics: what the next update is given again.
    """

    report: FitReport
    how: str
    is_updated: bool
    change: TrainingChange
    statistics: Mapping[str, Tensor]


def fit_from(
    parent: TrainedRun, model: nn.Module, fitter: ModelFitter, settings: UpdateSettings, fit_epochs: int
) -> WarmFit:
    """Fit ``model``, a fresh one, in place from the model of ``parent``; anew where it knows no other way.

    Args:
        parent: an earlier run, whose data are the generation before or an earlier one.
        model: of the same settings, for the users and items of now.
        fitter: with the data, split and checkpoints of now.
        settings: of the update.
        fit_epochs: whose weights the last fit on all rows kept; 0 where none were counted.

    Raises:
        RecsysError: the model cannot be fitted.
    """
    rates = isinstance(model, PredictsRatings)
    now = fitter.view.training_interactions(fitter.split.train, rates)
    change = TrainingChange.between(training_of_run(parent), now)
    name = model_name(model)
    nothing = FitReport([], best_epoch=0, best_value=None)
    if isinstance(model, Fittable):
        update = getattr(model, "update", None)
        if update is None:
            return WarmFit(fitter.fit(model), f"{name} has no update and was fitted anew", False, change, {})
        model.to(training_device(fitter.config))
        kept = parent.directory.load_statistics()
        statistics = update(now, EarlierFit(parent.model.state_dict(), change, kept))
        model.cpu()
        if statistics is None:
            how = f"{name} has no update with these settings and was fitted anew"
            return WarmFit(fitter.fit(model), how, False, change, {})
        statistics = {key: tensor.cpu() for key, tensor in statistics.items()}
        return WarmFit(nothing, f"{name} was updated", True, change, statistics)
    if isinstance(model, RanksCandidates):
        if len(fitter.split.valid) == 0:  # the epochs are those that were found best
            fitter = replace(fitter, epochs=ChosenEpochs(parent.directory.checkpoints, parent.manifest.best_epoch))
        return WarmFit(fitter.fit(model), f"{name} ranks what others retrieve and was fitted anew", False, change, {})
    learns_histories = not get_object(fitter.config.training._target_).learns_single_rows
    fresh = learned_matrices(model, tables_alone=learns_histories)  # an encoder of histories takes long to learn again
    grow(parent.model, model, settings.new_rows)
    if change.is_nothing:
        return WarmFit(nothing, f"{name} has no new training rows and stays as it is", True, change, {})
    fit_epochs = max(fit_epochs, 1)
    learned, share = _learned_rows(model, fitter, change, settings.replayed(fit_epochs), learns_histories)
    shrink(model, fresh, settings.shrunk(fit_epochs, share))
    fitter = replace(fitter, learned=learned, epochs=ChosenEpochs(None, settings.num_epochs(fit_epochs)))
    report = _go_on(parent, model, fitter, settings.optimizer)
    how = f"{name} went on from its weights for {len(report.epochs)} epochs"
    return WarmFit(report, how, True, change, {})


def _go_on(parent: TrainedRun, model: nn.Module, fitter: ModelFitter, optimizer: OptimizerStart) -> FitReport:
    """Take gradient steps from the weights of now."""
    config = fitter.config.copy()
    config.pretraining = None  # the towers have been put together
    state = _optimizer_state(parent.directory, parent.model, model) if optimizer == "kept" else None
    return replace(fitter, config=config, optimizer_state=state).fit(model)


def _learned_rows(
    model: nn.Module, fitter: ModelFitter, change: TrainingChange, replay: float, learns_histories: bool
) -> tuple[RowArray | None, float]:
    """Positions of the training rows with something new and of some others, None for all; and their share of all."""
    if replay == 1 and not learns_histories:
        return None, 1.0
    positions = fitter.split.train
    if not isinstance(model, PredictsRatings):
        positions = positions[fitter.view.positive[positions]]
    training, seed = fitter.view.interactions.take(positions), int(fitter.config.seed)
    if learns_histories:
        rows = change.latest_with_replay(training, replay, getattr(model, "max_history", None), seed)
    else:
        rows = change.rows_with_replay(training, replay, seed)
    return positions[rows], len(rows) / len(training)


def _optimizer_state(directory: RunDirectory, earlier: nn.Module, model: nn.Module) -> dict[str, object] | None:
    """The grown state that the last training left; None where its checkpoint is gone."""
    path = directory.checkpoints / LAST_CHECKPOINT
    if not path.is_file():
        return None
    with checkpoint_errors(path):
        states = torch.load(path, map_location="cpu", weights_only=True)["optimizer_states"]
    return grown_optimizer_state(states[0], earlier, model) if states else None
