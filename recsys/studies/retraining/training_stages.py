"""Trains and exports in a retraining."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from recsys.data.readers.store.database import URL_VARIABLE, StoreDatabase
from recsys.errors import RunError
from recsys.studies.retraining.appendable import appendable_settings, learns_in_epochs
from recsys.studies.retraining.command_stage import StageRunner, run_command_stage
from recsys.studies.retraining.training_plan import RANKER, RETRIEVER, TrainingPlan


class TrainingStages:
    """The trainings of one plan.

    Args:
        plan: what is trained and exported.
        database: of the service.
        work: directory for runs and data.
        run_stage: runs a command.
        name: what its logs are called.
        start: a run of the same plan, and the moment that it was trained until: trainings go on from it where that is
            possible. None: there is none.
    """

    def __init__(
        self,
        plan: TrainingPlan,
        database: StoreDatabase,
        work: Path,
        run_stage: StageRunner = run_command_stage,
        name: str = "challenger",
        start: tuple[Path, str] | None = None,
    ) -> None:
        self._plan, self._database, self._work, self._run_stage = plan, database, work, run_stage
        self._name, self._start = name, start
        self._chosen: dict[str, Path] = {}
        self._has_gone_on = False

    @property
    def may_have_drifted(self) -> bool:
        """Whether the last training took further epochs of an earlier one, in place of training anew."""
        return self._has_gone_on

    def train(self, until: str) -> Path:
        """Train on what happened before a moment.

        Args:
            until: the moment, ISO 8601.

        Returns:
            The run; that of the retriever where there is a ranker.

        Raises:
            RunError: a command failed.
        """
        for part, settings in self._plan.trainings.items():
            updated = self._updated(self._name, until)
            self._has_gone_on = updated is not None and self._start is not None and learns_in_epochs(self._start[0])
            self._chosen[part] = updated or self._train(self._name, part, [*settings, f"data.until='{until}'"])
        if not self._plan.has_ranker:
            self._start = (self._chosen[RETRIEVER], until)
        return self._chosen[RETRIEVER]

    def train_challenger(self, until: str) -> Path:
        """Train on what happened before a moment, and export.

        Args:
            until: the moment, ISO 8601.

        Returns:
            The bundle.

        Raises:
            RunError: a command failed.
        """
        self.train(until)
        return self._export(self._name, self._chosen, self._work / self._name)

    def refit_challenger(self, until: str) -> Path:
        """Train anew on what happened before a moment, and export; see :meth:`train_challenger`."""
        self._start, self._name = None, f"{self._name}_refit"
        return self.train_challenger(until)

    def train_final(self, output: Path) -> Path:
        """Train on all that happened until now, with the epochs that the challenger was found best with, and export.

        Args:
            output: the bundle.

        Raises:
            RunError: a command failed.
        """
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")  # the same interactions for each of the models
        runs = {}
        for part, chosen in self._chosen.items():
            rows = [one for one in self._plan.trainings[part] if one.startswith("data.")]
            updated = self._updated("final", now)
            runs[part] = updated or self._train("final", part, [f"chosen_by={chosen}", *rows, f"data.until='{now}'"])
        return self._export("final", runs, output)

    def _updated(self, stage: str, until: str) -> Path | None:
        """The run that this plan was trained in before, with what happened since; None where it is trained anew.

        That is where what happened since cannot be appended.
        """
        if self._start is None or self._plan.has_ranker:
            return None
        run, since = self._start
        settings = appendable_settings(run)
        if settings is None:
            return None
        logs, variables = self._work.parent, {URL_VARIABLE: self._database.url}
        window = [f"data.since='{since}'", f"data.until='{until}'", "preparation.repeats=keep"]
        place = f"paths.prepared_dir={self._work / 'prepared'}"
        try:
            newer = self._run_stage(
                "prepare", ["data=store", *settings, *window, place], logs / f"{stage}_newer.log", variables
            )
            update = [f"run={run}", f"interactions={newer}", f"runs_dir={self._work / 'runs'}"]
            return self._run_stage("update", update, logs / f"{stage}_update.log", variables)
        except RunError:  # such as nothing that happened since, or values of another kind: the log says which
            return None

    def _train(self, stage: str, part: str, settings: Sequence[str]) -> Path:
        places = [f"paths.runs_dir={self._work / 'runs'}", f"paths.prepared_dir={self._work / 'prepared'}"]
        fixed = ["data=store", "refit=all", "tracking=none", "show_users=0", *places]
        log = self._work.parent / (f"{stage}.log" if part == RETRIEVER else f"{stage}_{part}.log")
        return self._run_stage("train", [*fixed, *settings], log, {URL_VARIABLE: self._database.url})

    def _export(self, stage: str, runs: dict[str, Path], output: Path) -> Path:
        ranker = [f"ranker={runs[RANKER]}"] if RANKER in runs else []
        arguments = [f"run={runs[RETRIEVER]}", *ranker, f"output={output}", *self._plan.export]
        return self._run_stage("export", arguments, self._work.parent / f"{stage}_export.log", None)
