"""Lets a model that learns by gradient steps go on from the weights of an earlier one."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from hydra.utils import get_object
from torch import Tensor, nn

from recsys.data.row_numbers import RowArray
from recsys.data.training_change import TrainingChange
from recsys.evaluation.model_report import model_name
from recsys.models.interface.protocols import PredictsRatings
from recsys.runs.chosen_epochs import ChosenEpochs
from recsys.runs.model_fitting import ModelFitter
from recsys.runs.run_directory import RunDirectory
from recsys.runs.trained_run import TrainedRun
from recsys.runs.updating.grown_weights import grow, grown_optimizer_state, learned_matrices, shrink
from recsys.runs.updating.update_settings import GradientPlan, UpdateSettings
from recsys.training.checkpointing.checkpoint_errors import checkpoint_errors
from recsys.training.reports.fit_report import LAST_CHECKPOINT, FitReport

#: Users of validation at most, where the run does not say how many: of so many the means of two ways, which differ in
#: some users alone, are told apart, and an update may take less time than a validation of all.
_VALIDATED = 4_000
#: What is forgotten without replay shows in later updates, so that the new interactions alone are kept only where their
#: value on validation is higher by this share, which so many users tell from chance.
_CLEARLY = 0.02


@dataclass(frozen=True, slots=True)
class NetworkUpdate:
    """Trains a network in each of the ways that the settings have, and keeps the better on validation.

    Args:
        parent: an earlier run.
        fitter: with the data, split and checkpoints of now.
        change: how the training rows differ from those of ``parent``.
        settings: of the update.
        fit_epochs: whose weights the last fit on all rows kept, at least 1.
    """

    parent: TrainedRun
    fitter: ModelFitter
    change: TrainingChange
    settings: UpdateSettings
    fit_epochs: int

    def update(self, model: nn.Module) -> tuple[FitReport, str]:
        """Train ``model``, a fresh one for the users and items of now, in place.

        Returns:
            The report of the training whose weights it has, and what was done, in words.

        Raises:
            RecsysError: the models do not have the same parts, or it cannot be trained.
        """
        learns_histories = not get_object(self.fitter.config.training._target_).learns_single_rows
        # An encoder of histories takes longer to learn again than an update has.
        fresh = learned_matrices(model, tables_alone=learns_histories)
        grow(self.parent.model, model, self.settings.new_rows)
        name = model_name(model)
        if self.change.is_nothing:
            nothing = FitReport([], best_epoch=0, best_value=None)
            return nothing, f"{name} has no new training rows and stays as it is"
        plans = self.settings.plans(self.fit_epochs, len(self.fitter.split.valid) > 0, learns_histories)
        models = [model, *(copy.deepcopy(model) for _ in plans[1:])]
        places = [self._checkpoints / f"plan_{number}" for number in range(len(plans))]
        reports = [
            self._train(one, plan, place, fresh, learns_histories)
            for one, plan, place in zip(models, plans, places, strict=True)
        ]
        values = [report.best_value or 0.0 for report in reports]
        kept = 0 if len(plans) == 1 or values[0] > values[1] * (1 + _CLEARLY) else 1
        if models[kept] is not model:
            model.load_state_dict(models[kept].state_dict())
        _keep(places, kept)
        report = reports[kept]
        epochs = len(report.epochs)
        how = f"{name} went on from its weights for {epochs} epoch{'s' * (epochs != 1)} on {plans[kept].in_words()}"
        if len(plans) == 1:
            return report, how
        monitor, other = self.fitter.config.fitting.monitor, 1 - kept
        return report, f"{how} ({monitor} {values[kept]:.4f}; {values[other]:.4f} on {plans[other].in_words()})"

    @property
    def _checkpoints(self) -> Path:
        assert self.fitter.checkpoints is not None, "an update keeps them for the next one"
        return self.fitter.checkpoints

    def _train(
        self,
        model: nn.Module,
        plan: GradientPlan,
        checkpoints: Path,
        fresh: Mapping[str, Tensor],
        learns_histories: bool,
    ) -> FitReport:
        """Take gradient steps from the weights of ``model``."""
        config = self.fitter.config.copy()
        config.pretraining = None  # the towers have been put together
        if config.training.get("validation_users", 0) is None:
            config.training.validation_users = _VALIDATED
        shrink(model, fresh, plan.shrink)
        self.fitter.print_line(f"going on, on {plan.in_words()}")
        return replace(
            self.fitter,
            config=config,
            checkpoints=checkpoints,
            # Read for each training: an optimiser changes in place what it is given.
            optimizer_state=self._optimizer_state(model) if self.settings.optimizer == "kept" else None,
            learned=self._learned_rows(model, plan.replay, learns_histories),
            epochs=ChosenEpochs(None, plan.epochs),
        ).fit(model)

    def _learned_rows(self, model: nn.Module, replay: float, learns_histories: bool) -> RowArray | None:
        """Positions of the training rows with something new and of some others; None: all."""
        if replay == 1 and not learns_histories:
            return None
        view, positions = self.fitter.view, self.fitter.split.train
        if not isinstance(model, PredictsRatings):
            positions = positions[view.positive[positions]]
        training, seed = view.interactions.take(positions), int(self.fitter.config.seed)
        if learns_histories:
            latest = getattr(model, "max_history", None)
            return positions[self.change.latest_with_replay(training, replay, latest, seed)]
        return positions[self.change.rows_with_replay(training, replay, seed)]

    def _optimizer_state(self, model: nn.Module) -> dict[str, object] | None:
        """The state that the last training left, grown; None where its checkpoint is gone."""
        directory: RunDirectory = self.parent.directory
        path = directory.checkpoints / LAST_CHECKPOINT
        if not path.is_file():
            return None
        with checkpoint_errors(path):
            states = torch.load(path, map_location="cpu", weights_only=True)["optimizer_states"]
        return grown_optimizer_state(states[0], self.parent.model, model) if states else None


def _keep(places: list[Path], kept: int) -> None:
    """Leave the checkpoints of one training in the directory above, and delete the others."""
    for path in places[kept].iterdir():
        path.replace(path.parents[1] / path.name)
    for place in places:
        shutil.rmtree(place)
