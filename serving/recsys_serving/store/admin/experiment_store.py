"""Experiments: their definitions, their status and what was done to them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from recsys_serving.store import rows
from recsys_serving.store.admin.records import ExperimentRecord, ExperimentStatus, ExperimentStep
from recsys_serving.store.connection.database import Database
from recsys_serving.store.errors import Conflict, NotFound, PreconditionFailed
from recsys_serving.store.json_text import Properties, properties_json
from recsys_serving.store.schema.revisions import next_revision, read_revision
from recsys_serving.store.schema.tables import EXPERIMENT

_CREATE = text(
    "INSERT INTO experiments (experiment_id, name, status, definition, revision) VALUES "
    "(:experiment_id, :name, 'draft', CAST(:definition AS jsonb), :revision) ON CONFLICT DO NOTHING RETURNING *"
)
_CHANGE = text(
    "UPDATE experiments SET name = coalesce(:name, name), status = coalesce(:status, status), "
    "definition = coalesce(CAST(:definition AS jsonb), definition), "
    "rollout = coalesce(CAST(:rollout AS jsonb), rollout), revision = :revision, updated_at = now(), "
    "started_at = CASE WHEN :status = 'running' THEN coalesce(started_at, now()) ELSE started_at END, "
    "stopped_at = CASE WHEN :status = 'stopped' THEN now() WHEN :status = 'running' THEN NULL ELSE stopped_at END "
    "WHERE experiment_id = :experiment_id RETURNING *"
)
# What was read is what is noted of: the revision stays, so that nobody reads the experiments again for a sentence.
_NOTE_ROLLOUT = text(
    "UPDATE experiments SET rollout = CAST(:rollout AS jsonb) "
    "WHERE experiment_id = :experiment_id AND revision = :revision"
)
_STEP = text(
    "INSERT INTO experiment_steps (experiment_id, act, actor, detail) VALUES "
    "(:experiment_id, :act, :actor, CAST(:detail AS jsonb))"
)


class ExperimentStore:
    """Experiments. Every change raises their common revision, in the same transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def revision(self) -> int:
        """Grows with each change of any experiment."""
        with self._database.transaction() as connection:
            return read_revision(connection, EXPERIMENT)

    def create(self, experiment_id: str, name: str, definition: Properties, actor: str) -> ExperimentRecord:
        """Make a draft.

        Raises:
            Conflict: there is such an experiment.
        """
        with self._database.transaction() as connection:
            values = {
                "experiment_id": experiment_id,
                "name": name,
                "definition": properties_json(definition),
                "revision": next_revision(connection, EXPERIMENT),
            }
            row = connection.execute(_CREATE, values).mappings().first()
            if row is None:
                raise Conflict(f"There is an experiment {experiment_id!r} already. Choose another id.")
            _note(connection, experiment_id, "create", actor, {})
        return rows.experiment(row)

    def get(self, experiment_id: str) -> ExperimentRecord | None:
        """An experiment, or None."""
        with self._database.transaction() as connection:
            return _get(connection, experiment_id)

    def list_experiments(self, status: ExperimentStatus | None = None) -> tuple[ExperimentRecord, ...]:
        """All experiments, or those of a status, in the order in which they were made."""
        query = text(
            f"SELECT * FROM experiments {'' if status is None else 'WHERE status = :status '}"
            "ORDER BY created_at, experiment_id"
        )
        with self._database.transaction() as connection:
            found = connection.execute(query, {} if status is None else {"status": str(status)}).mappings()
            return tuple(map(rows.experiment, found))

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
        rollout: Properties | None = None,
        expected_revision: int | None = None,
    ) -> ExperimentRecord:
        """Change an experiment and note the step.

        Args:
            experiment_id: the experiment.
            act: what is done: "start", "ramp", "pause", "resume", "stop", "edit", "rollout".
            actor: who does it.
            status: the new status; None leaves it.
            name: the new name; None leaves it.
            definition: the whole new definition; None leaves it.
            detail: numbers of the step.
            rollout: where its rollout is now; None leaves it.
            expected_revision: change only this revision; None for any.

        Raises:
            NotFound: there is no such experiment.
            PreconditionFailed: the experiment has another revision.
        """
        values: dict[str, Any] = {
            "experiment_id": experiment_id,
            "name": name,
            "status": None if status is None else str(status),
            "definition": None if definition is None else properties_json(definition),
            "rollout": None if rollout is None else properties_json(rollout),
        }
        with self._database.transaction() as connection:
            revision = next_revision(connection, EXPERIMENT)  # locked: nobody changes an experiment in between
            found = _get(connection, experiment_id)
            if found is None:
                raise NotFound(f"There is no experiment {experiment_id!r}.")
            if expected_revision not in (None, found.revision):
                raise PreconditionFailed(
                    f"Revision {expected_revision} of experiment {experiment_id!r} was to be changed, but it has "
                    f"{found.revision} by now. Read it again."
                )
            row = connection.execute(_CHANGE, values | {"revision": revision}).mappings().one()
            _note(connection, experiment_id, act, actor, detail or {})
        return rows.experiment(row)

    def note_rollout(self, experiment_id: str, rollout: Properties, revision: int) -> bool:
        """Note why a rollout stays where it is, which changes nothing for users.

        Returns:
            False where the experiment has another revision than ``revision`` by now, and nothing was noted.
        """
        values = {"experiment_id": experiment_id, "rollout": properties_json(rollout), "revision": revision}
        with self._database.transaction() as connection:
            return connection.execute(_NOTE_ROLLOUT, values).rowcount == 1

    def steps(self, experiment_id: str) -> tuple[ExperimentStep, ...]:
        """What was done to an experiment, first step first."""
        query = text(
            "SELECT experiment_id, at, act, actor, detail FROM experiment_steps WHERE experiment_id = :id "
            "ORDER BY step_id"
        )
        with self._database.transaction() as connection:
            found = connection.execute(query, {"id": experiment_id}).mappings()
            return tuple(ExperimentStep(**row) for row in found)


def _get(connection: Connection, experiment_id: str) -> ExperimentRecord | None:
    query = text("SELECT * FROM experiments WHERE experiment_id = :id")
    row = connection.execute(query, {"id": experiment_id}).mappings().first()
    return None if row is None else rows.experiment(row)


def _note(connection: Connection, experiment_id: str, act: str, actor: str, detail: Properties) -> None:
    values = {"experiment_id": experiment_id, "act": act, "actor": actor, "detail": properties_json(detail)}
    connection.execute(_STEP, values)
