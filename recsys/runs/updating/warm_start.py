"""Fits a model to the data of a new generation from the model of the one before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor, nn

from recsys.data.training_change import TrainingChange
from recsys.evaluation.model_report import model_name
from recsys.models.interface.earlier_fit import EarlierFit
from recsys.models.interface.protocols import Fittable, PredictsRatings, RanksCandidates
from recsys.runs.chosen_epochs import ChosenEpochs
from recsys.runs.device import training_device
from recsys.runs.model_fitting import ModelFitter
from recsys.runs.trained_run import TrainedRun, training_of_run
from recsys.runs.updating.network_update import NetworkUpdate
from recsys.runs.updating.update_settings import UpdateSettings
from recsys.training.reports.fit_report import FitReport


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
    report, how = NetworkUpdate(parent, fitter, change, settings, max(fit_epochs, 1)).update(model)
    return WarmFit(report, how, True, change, {})
