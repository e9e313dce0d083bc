"""Experiments: their definitions, their status and what was done to them."""

from __future__ import annotations

from recsys_serving.store.database import Database
from recsys_serving.store.records import ExperimentRecord, ExperimentStatus, ExperimentStep, Properties


class ExperimentStore:
    """Experiments. Every change raises their common revision, in the same transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def revision(self) -> int:
        """Grows with each change of any experiment."""
        raise NotImplementedError

    def create(self, experiment_id: str, name: str, definition: Properties, actor: str) -> ExperimentRecord:
        """Make a draft.

        Raises:
            Conflict: there is such an experiment.
        """
        raise NotImplementedError

    def get(self, experiment_id: str) -> ExperimentRecord | None:
        """An experiment, or None."""
        raise NotImplementedError

    def list_experiments(self, status: ExperimentStatus | None = None) -> tuple[ExperimentRecord, ...]:
        """All experiments, or those of a status, in the order in which they were made."""
        raise NotImplementedError

    def change(
        self,
        experiment_id: str,
        act: str,
        actor: str,
        *,
        status: ExperimentStatus | None = None,
        name: str | None = None,
        definition: Properties | None = None,
        detail: Properties | None = None,
        expected_revision: int | None = None,
    ) -> ExperimentRecord:
        """Change an experiment and note the step.

        Args:
            experiment_id: the experiment.
            act: what is done: "start", "ramp", "stop", "edit".
            actor: who does it.
            status: the new status; None leaves it.
            name: the new name; None leaves it.
            definition: the whole new definition; None leaves it.
            detail: numbers of the step.
            expected_revision: change only this revision; None for any.

        Raises:
            NotFound: there is no such experiment.
            PreconditionFailed: the experiment has another revision.
        """
        raise NotImplementedError

    def steps(self, experiment_id: str) -> tuple[ExperimentStep, ...]:
        """What was done to an experiment, first step first."""
        raise NotImplementedError
