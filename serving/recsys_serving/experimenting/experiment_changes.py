"""Changes of experiments: checked by the rules of :mod:`recsys.experiments`, then stored with what was done.

The store keeps an experiment's definition as :func:`recsys.experiments.experiment_json.experiment_to_dict` writes it;
the status beside it is the one that counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from recsys.experiments.experiment import Experiment
from recsys.experiments.experiment_json import experiment_from_dict, experiment_to_dict
from recsys.experiments.layers import check_layers, with_traffic
from recsys_serving.store.admin.records import AuditEntry, ExperimentRecord, ExperimentStatus
from recsys_serving.store.errors import Conflict, NotFound
from recsys_serving.store.store import Store

#: Keys of a definition that are not the client's to set.
_OWN_KEYS = ("id", "status")


def experiment_of(record: ExperimentRecord) -> Experiment:
    """The experiment that a record stands for.

    Raises:
        ExperimentError: its definition is not by the rules of this version.
    """
    definition = {name: value for name, value in record.definition.items() if name not in _OWN_KEYS}
    return experiment_from_dict({**definition, "id": record.experiment_id, "status": str(record.status)})


class ExperimentChanges:
    """Makes, changes, starts, ramps and stops experiments.

    Args:
        store: where they are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, experiment_id: str, name: str, definition: Mapping[str, Any], actor: str) -> ExperimentRecord:
        """Make a draft; without a salt it gets one of its own.

        Raises:
            ExperimentError: the definition is not by the rules.
            Conflict: there is such an experiment.
        """
        experiment = _checked(experiment_id, definition, "draft")
        with self._store.transaction():
            record = self._store.experiments.create(experiment_id, name, experiment_to_dict(experiment), actor)
            self._store.audit.append(AuditEntry(actor, "experiment.create", experiment_id))
        return record

    def edit(
        self,
        experiment_id: str,
        name: str | None,
        definition: Mapping[str, Any] | None,
        actor: str,
        revision: int | None = None,
    ) -> ExperimentRecord:
        """Change the name, or the whole definition of a draft: what runs is only ramped.

        Raises:
            Conflict: another definition came for an experiment that has begun.
        """
        record = self._record(experiment_id)
        written = None
        if definition is not None:
            if record.status is not ExperimentStatus.DRAFT:
                raise Conflict(
                    f"The experiment {experiment_id!r} is {record.status}, and only a draft gets another definition. "
                    "Make a new experiment."
                )
            written = experiment_to_dict(_checked(experiment_id, definition, "draft"))
        return self._change(record, "edit", actor, name=name, definition=written, revision=revision)

    def start(self, experiment_id: str, actor: str) -> ExperimentRecord:
        """Let users take part.

        Raises:
            ExperimentError: its layer has other experiments in the same buckets, or it was stopped.
        """
        record = self._record(experiment_id)
        running = experiment_of(record).with_status("running")
        check_layers([running, *self._running(experiment_id)])
        return self._change(record, "start", actor, status=ExperimentStatus.RUNNING)

    def stop(self, experiment_id: str, actor: str) -> ExperimentRecord:
        """Let nobody take part any more, for good."""
        record = self._record(experiment_id)
        experiment_of(record).with_status("stopped")
        return self._change(record, "stop", actor, status=ExperimentStatus.STOPPED)

    def ramp(self, experiment_id: str, traffic: float, actor: str) -> ExperimentRecord:
        """Let another share of its layer's users take part; who does so goes on while the share grows.

        Raises:
            ExperimentError: the layer has not so many free buckets.
            Conflict: the experiment was stopped.
        """
        record = self._record(experiment_id)
        if record.status is ExperimentStatus.STOPPED:
            raise Conflict(f"The experiment {experiment_id!r} was stopped. Make a new experiment.")
        wider = with_traffic(experiment_of(record), traffic, self._running(experiment_id))
        return self._change(
            record,
            "ramp",
            actor,
            definition=experiment_to_dict(replace(wider, status="draft")),
            detail={"traffic": traffic},
        )

    def _record(self, experiment_id: str) -> ExperimentRecord:
        record = self._store.experiments.get(experiment_id)
        if record is None:
            raise NotFound(f"There is no experiment {experiment_id!r}.")
        return record

    def _running(self, experiment_id: str) -> list[Experiment]:
        """The others that run; a draft owns no buckets before it is started."""
        records = self._store.experiments.list_experiments(ExperimentStatus.RUNNING)
        return [experiment_of(record) for record in records if record.experiment_id != experiment_id]

    def _change(
        self,
        record: ExperimentRecord,
        act: str,
        actor: str,
        *,
        status: ExperimentStatus | None = None,
        name: str | None = None,
        definition: Mapping[str, Any] | None = None,
        detail: Mapping[str, Any] | None = None,
        revision: int | None = None,
    ) -> ExperimentRecord:
        with self._store.transaction():
            changed = self._store.experiments.change(
                record.experiment_id,
                act,
                actor,
                status=status,
                name=name,
                definition=definition,
                detail=detail,
                # What was checked is what is changed.
                expected_revision=record.revision if revision is None else revision,
            )
            self._store.audit.append(AuditEntry(actor, f"experiment.{act}", record.experiment_id, dict(detail or {})))
        return changed


def _checked(experiment_id: str, definition: Mapping[str, Any], status: str) -> Experiment:
    own = {name: value for name, value in definition.items() if name not in _OWN_KEYS}
    return experiment_from_dict({"salt": uuid4().hex, **own, "id": experiment_id, "status": status})
