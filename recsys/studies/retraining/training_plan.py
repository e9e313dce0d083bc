"""What is trained and exported in a retraining: the models of the live bundle anew, or another one in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recsys.errors import RunError
from recsys.runtime.bundle import EXPORT_SETTINGS, RANKER_TRAINING_SETTINGS, TRAINING_SETTINGS
from recsys.studies.retraining.retraining_settings import RetrainingSettings
from recsys.studies.selection.candidate import Candidate

RETRIEVER, RANKER = "retriever", "ranker"


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """The trainings and the export that make a bundle.

    Args:
        described: what is trained, in a few words.
        trainings: settings of each training, by the part of its model: ``retriever`` or ``ranker``.
        export: settings of the export.
    """

    described: str
    trainings: Mapping[str, Sequence[str]]
    export: Sequence[str]

    @property
    def has_ranker(self) -> bool:
        """Whether two models make the lists."""
        return RANKER in self.trainings


def named_plan(settings: RetrainingSettings) -> TrainingPlan:
    """The plan of settings that name a model."""
    return TrainingPlan("the model that the settings name", {RETRIEVER: [*settings.train]}, [*settings.export])


def plan_of(candidate: Candidate, live: Path, settings: RetrainingSettings) -> TrainingPlan:
    """The plan of a candidate: of the live models with all their settings, of another one with those of the data.

    Args:
        candidate: without a model it stands for the live ones.
        live: directory of the live bundle.
        settings: of the retraining.

    Raises:
        RunError: the live bundle does not say what it was trained with.
    """
    files = {RETRIEVER: live / TRAINING_SETTINGS, RANKER: live / RANKER_TRAINING_SETTINGS}
    if not files[RETRIEVER].is_file():
        raise RunError(
            f"The models of {live.name} are to be trained anew, but it has no {TRAINING_SETTINGS} that says what "
            "they were trained with: an earlier version exported it. Name a model: 'train=[\"model=ials\"]'."
        )
    export = [f"settings_of={live / EXPORT_SETTINGS}"]
    if candidate.model is None:
        there = {name: file for name, file in files.items() if file.is_file()}
        trainings = {name: [f"settings_of={file}", *settings.train] for name, file in there.items()}
        described = f"the model{'s' * (len(there) - 1)} of {live.name}"
        return TrainingPlan(described, trainings, [*export, *settings.export])
    # What lists may hold stays as it is; an index that suits the live model's vectors need not suit another's.
    training = [f"settings_of={files[RETRIEVER]}", *candidate.settings, *settings.train]
    export += ["index=auto", "rescore=null", *settings.export]
    return TrainingPlan(candidate.name, {RETRIEVER: training}, export)
