"""Trains and exports in a retraining: the models of the live bundle anew, or another one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from recsys.data.readers.store.database import URL_VARIABLE, StoreDatabase
from recsys.errors import RunError
from recsys.runtime.bundle import EXPORT_SETTINGS, RANKER_TRAINING_SETTINGS, TRAINING_SETTINGS
from recsys.studies.retraining.command_stage import StageRunner, run_command_stage
from recsys.studies.retraining.retraining_settings import RetrainingSettings

_RETRIEVER, _RANKER = "retriever", "ranker"


class TrainingStages:
    """The trainings of one retraining.

    Args:
        live: directory of the live bundle, whose models are trained anew where the settings name no other model.
        settings: what is trained.
        database: of the service.
        work: directory for runs and data.
        run_stage: runs a command.

    Raises:
        RunError: the settings name no model, and the live bundle does not say what it was trained with.
    """

    def __init__(
        self,
        live: Path,
        settings: RetrainingSettings,
        database: StoreDatabase,
        work: Path,
        run_stage: StageRunner = run_command_stage,
    ) -> None:
        self._settings, self._database, self._work, self._run_stage = settings, database, work, run_stage
        self._chosen: dict[str, Path] = {}
        self._trainings: dict[str, list[str]] = {_RETRIEVER: list(settings.train)}
        self._export_settings = list(settings.export)
        self.described = "the model that the settings name"
        if any(one.startswith("model=") for one in settings.train):
            return
        files = {_RETRIEVER: live / TRAINING_SETTINGS, _RANKER: live / RANKER_TRAINING_SETTINGS}
        if not files[_RETRIEVER].is_file():
            raise RunError(
                f"The models of {live.name} are to be trained anew, but it has no {TRAINING_SETTINGS} that says what "
                "they were trained with: an earlier version exported it. Name a model: 'train=[\"model=ials\"]'."
            )
        there = {name: file for name, file in files.items() if file.is_file()}
        self.described = f"the model{'s' * (len(there) - 1)} of {live.name}"
        self._trainings = {name: [f"settings_of={file}", *settings.train] for name, file in there.items()}
        self._export_settings = [f"settings_of={live / EXPORT_SETTINGS}", *settings.export]

    def train_challenger(self, until: str) -> Path:
        """Train on what happened before a moment, and export.

        Args:
            until: the moment, ISO 8601.

        Returns:
            The bundle.

        Raises:
            RunError: a command failed.
        """
        for name, settings in self._trainings.items():
            self._chosen[name] = self._train("challenger", name, [*settings, f"data.until='{until}'"])
        return self._export("challenger", self._chosen, self._work / "challenger")

    def train_final(self, output: Path) -> Path:
        """Train on all that happened until now, with the epochs that the challenger was found best with, and export.

        Args:
            output: the bundle.

        Raises:
            RunError: a command failed.
        """
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")  # the same interactions for each of the models
        since = [one for one in self._settings.train if one.startswith("data.")]
        runs = {
            name: self._train("final", name, [f"chosen_by={chosen}", *since, f"data.until='{now}'"])
            for name, chosen in self._chosen.items()
        }
        return self._export("final", runs, output)

    def _train(self, stage: str, name: str, settings: Sequence[str]) -> Path:
        places = [f"paths.runs_dir={self._work / 'runs'}", f"paths.prepared_dir={self._work / 'prepared'}"]
        fixed = ["data=store", "refit=all", "tracking=none", "show_users=0", *places]
        log = self._work.parent / (f"{stage}.log" if name == _RETRIEVER else f"{stage}_{name}.log")
        return self._run_stage("train", [*fixed, *settings], log, {URL_VARIABLE: self._database.url})

    def _export(self, stage: str, runs: dict[str, Path], output: Path) -> Path:
        ranker = [f"ranker={runs[_RANKER]}"] if _RANKER in runs else []
        arguments = [f"run={runs[_RETRIEVER]}", *ranker, f"output={output}", *self._export_settings]
        return self._run_stage("export", arguments, self._work.parent / f"{stage}_export.log", None)
