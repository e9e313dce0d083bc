"""Which fits a training makes, on which interactions, and which of them is measured."""

from __future__ import annotations

from dataclasses import dataclass

from omegaconf import DictConfig
from torch import nn

from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.errors import RunError
from recsys.models.interface.protocols import Fittable
from recsys.runs.assembly import build_split
from recsys.runs.chosen_epochs import ChosenEpochs
from recsys.runs.run_directory import RunDirectory
from recsys.runs.run_manifest import BEFORE_REFIT, MEASURED_HERE, NOTHING, THIS_MODEL, TrainedOn

#: How epochs were chosen that early stopping, or the best epoch of a first fit, gave.
ON_VALIDATION = "chosen on validation, in this run"


@dataclass(frozen=True, slots=True)
class FitPlan:
    """One fit or two.

    Args:
        split: of the data; what is measured is measured with it.
        first: rows of a first fit, which chooses the epochs of the last one or is measured in its place; None: there
            is none.
        last: rows of the fit whose weights are kept.
        trained_on: what ``last`` trains on, in words.
        epochs: of the last fit, where they are known from the start.
        epochs_chosen: how the epochs of the last fit come about, in words; empty for a model without epochs.
        measures_first: whether the metrics are those of the first fit.
        carried: the run whose metrics are carried over; None: there is none.
        measured: which fit the metrics belong to, in words.
    """

    split: Split
    first: Split | None
    last: Split
    trained_on: TrainedOn
    epochs: ChosenEpochs | None
    epochs_chosen: str
    measures_first: bool
    carried: RunDirectory | None
    measured: str

    @property
    def checked(self) -> Split:
        """The rows of the fit that comes first."""
        return self.last if self.first is None else self.first

    @property
    def measures_last(self) -> bool:
        """Whether the kept weights are measured."""
        return self.measured == THIS_MODEL


def fit_plan(config: DictConfig, interactions: Interactions, model: nn.Module) -> FitPlan:
    """What ``refit``, ``refit_epochs`` and ``chosen_by`` ask for.

    Args:
        config: the resolved configuration of the run.
        interactions: what ``split`` divides.
        model: what is to be fitted.

    Raises:
        RunError: the settings do not go together, or say nothing of the epochs where nothing can choose them.
        SplitError: the interactions cannot be split so.
    """
    refit = config.get("refit", False)  # runs of earlier versions have no such setting
    apart = build_split(config, interactions, refit=False)
    nothing_held_out = len(apart.test) == 0
    if config.get("chosen_by") is not None and refit is False and not nothing_held_out:
        raise RunError(
            "chosen_by says which run chose the settings and the epochs of a fit on more rows, but refit is false. Add "
            "refit=all for all interactions (or split=none), or refit=true for training and validation."
        )
    last = apart
    trained_on: TrainedOn = "training"
    if refit == "all" or nothing_held_out:
        last, trained_on = Split.of_all(len(interactions)), "all interactions"
    elif refit is True:
        last, trained_on = apart.with_validation_in_training(), "training and validation"
    source = None if config.get("chosen_by") is None else RunDirectory.open(config.chosen_by)
    has_epochs = not isinstance(model, Fittable)
    epochs, how = _known_epochs(config, source) if has_epochs and last is not apart else (None, "")
    if has_epochs and epochs is None:
        how = ON_VALIDATION if len(apart.valid) > 0 else "given as trainer.max_epochs"
        if nothing_held_out:
            raise RunError(
                f"{type(model).__name__} is trained in epochs, and split=none leaves no validation that could say how "
                "many. Give refit_epochs=N, or the run that found them: chosen_by=DIR."
            )
    measures_first = trained_on == "all interactions" and source is None and not nothing_held_out
    chooses = has_epochs and epochs is None and last is not apart and len(apart.valid) > 0
    return FitPlan(
        split=apart if trained_on == "all interactions" else last,
        first=apart if measures_first or chooses else None,
        last=last,
        trained_on=trained_on,
        epochs=epochs,
        epochs_chosen=how,
        measures_first=measures_first,
        carried=source if trained_on == "all interactions" else None,
        measured=_measured(trained_on, source, nothing_held_out),
    )


def _known_epochs(config: DictConfig, source: RunDirectory | None) -> tuple[ChosenEpochs | None, str]:
    """The number of epochs, where it is known before anything is fitted, and where it is from, in words."""
    given: int | None = config.get("refit_epochs")
    how = "given as refit_epochs"
    if source is not None:
        epochs = ChosenEpochs(source.checkpoints, given or source.manifest().best_epoch)
        return epochs, f"chosen by run {source.path}" if given is None else how
    return (None, "") if given is None else (ChosenEpochs(None, given), how)


def _measured(trained_on: TrainedOn, source: RunDirectory | None, nothing_held_out: bool) -> str:
    if trained_on != "all interactions":
        return THIS_MODEL
    if source is not None:
        return f"{BEFORE_REFIT}, by run {source.path}"
    return NOTHING if nothing_held_out else MEASURED_HERE
