"""Changes of experiments: checked by the rules of :mod:`recsys.experiments`, then stored with what was done.

The store keeps an experiment's definition as :func:`recsys.experiments.experiment_json.experiment_to_dict` writes it;
the status beside it is the one that counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import structlog

from recsys.errors import ExperimentError
from recsys.experiments.experiment import Experiment
from recsys.experiments.experiment_json import experiment_from_dict, experiment_to_dict
from recsys.experiments.layers import check_layers, with_traffic
from recsys.experiments.rollout import RolloutPlan, at_step
from recsys_serving.experimenting.experiment_rollout import ExperimentRollout, begin_rollout, rollout_of
from recsys_serving.store.admin.records import AuditEntry, ExperimentRecord, ExperimentStatus
from recsys_serving.store.errors import Conflict, NotFound
from recsys_serving.store.store import Store

_OWNING = (ExperimentStatus.RUNNING, ExperimentStatus.PAUSED)

_log = structlog.get_logger("recsys_serving.experiments")

#: Keys of a definition that are not the client's to set.
_OWN_KEYS = ("id", "status")


def experiment_of(record: ExperimentRecord) -> Experiment:
    """The experiment that a record stands for.

    Raises:
        ExperimentError: its definition is not by the rules of this version.
    """
    definition = {name: value for name, value in record.definition.items() if name not in _OWN_KEYS}
    return experiment_from_dict({**definition, "id": record.experiment_id, "status": str(record.status)})


def owning_buckets(store: Store, experiment_id: str) -> list[Experiment]:
    """The other experiments that own buckets of their layer: those that run, and those that are paused.

    One whose definition cannot be read assigns nobody, and owns nothing.
    """
    found = []
    for record in store.experiments.list_experiments():
        if record.experiment_id == experiment_id or record.status not in _OWNING:
            continue
        try:
            found.append(experiment_of(record))
        except ExperimentError as error:
            _log.warning("an experiment is left out", experiment=record.experiment_id, error=str(error))
    return found


class ExperimentChanges:
    """Makes, changes, starts, ramps, pauses, rolls out and stops experiments.

    Args:
        store: where they are.
        clock: tells the time, in seconds since 1970.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store, self._clock = store, clock

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
            Conflict: its layer has other experiments in the same buckets, or it was stopped or paused.
        """
        record = self._record(experiment_id)
        if record.status is ExperimentStatus.PAUSED:
            raise Conflict(f"The experiment {experiment_id!r} is paused. Resume it.")
        with _conflicts():
            running = experiment_of(record).with_status("running")
            check_layers([running, *owning_buckets(self._store, experiment_id)])
        return self._change(record, "start", actor, status=ExperimentStatus.RUNNING)

    def roll_out(self, experiment_id: str, plan: RolloutPlan, actor: str) -> ExperimentRecord:
        """Start a draft of two variants, of which the second gets more and more users by itself.

        Raises:
            ExperimentError: it has not two variants, or no guardrail; or its layer has not so many free buckets.
            Conflict: it is no draft.
        """
        record = self._record(experiment_id)
        if record.status is not ExperimentStatus.DRAFT:
            raise Conflict(
                f"A rollout begins with a draft, and the experiment {experiment_id!r} is {record.status}. "
                "Make a new experiment."
            )
        experiment = experiment_of(record)
        rollout = begin_rollout(experiment, plan, self._clock())
        others = owning_buckets(self._store, experiment_id)
        first = at_step(experiment, rollout.state, others)
        check_layers([first, *others])
        return self._change(
            record,
            "rollout.start",
            actor,
            status=ExperimentStatus.RUNNING,
            definition=experiment_to_dict(replace(first, status="draft")),
            rollout=rollout,
            detail={"steps": list(plan.steps), "min_hours": plan.min_hours, "min_units": plan.min_units},
        )

    def pause(self, experiment_id: str, actor: str) -> ExperimentRecord:
        """Let nobody take part for a while; its buckets stay its own.

        Raises:
            Conflict: it does not run.
        """
        record = self._record(experiment_id)
        with _conflicts():
            experiment_of(record).with_status("paused")
        return self._change(record, "pause", actor, status=ExperimentStatus.PAUSED)

    def resume(self, experiment_id: str, actor: str) -> ExperimentRecord:
        """Let users take part again, each in the variant of before. A step of a rollout begins anew.

        Raises:
            Conflict: it is not paused.
        """
        record = self._record(experiment_id)
        if record.status is not ExperimentStatus.PAUSED:
            raise Conflict(f"The experiment {experiment_id!r} is {record.status}, and only a paused one is resumed.")
        with _conflicts():
            check_layers([experiment_of(record).with_status("running"), *owning_buckets(self._store, experiment_id)])
        rollout = rollout_of(record)
        if rollout is not None and rollout.state.status == "running":
            since = max(self._clock(), rollout.state.since)
            rollout = replace(rollout, state=replace(rollout.state, since=since, reason="The step begins anew."))
        return self._change(record, "resume", actor, status=ExperimentStatus.RUNNING, rollout=rollout)

    def stop(self, experiment_id: str, actor: str) -> ExperimentRecord:
        """Let nobody take part any more, for good.

        Raises:
            Conflict: it has not begun.
        """
        record = self._record(experiment_id)
        with _conflicts():
            experiment_of(record).with_status("stopped")
        rollout = rollout_of(record)
        if rollout is not None and rollout.state.status == "running":
            state = replace(rollout.state, status="rolled back", since=self._clock(), reason="It was stopped by hand.")
            rollout = replace(rollout, state=state)
        return self._change(record, "stop", actor, status=ExperimentStatus.STOPPED, rollout=rollout)

    def ramp(self, experiment_id: str, traffic: float, actor: str) -> ExperimentRecord:
        """Let another share of its layer's users take part; who does so goes on while the share grows.

        Raises:
            Conflict: the experiment was stopped, its rollout sets its traffic, or the layer has not so many free
                buckets.
        """
        record = self._record(experiment_id)
        if record.status is ExperimentStatus.STOPPED:
            raise Conflict(f"The experiment {experiment_id!r} was stopped. Make a new experiment.")
        if record.rollout is not None:
            raise Conflict(
                f"The traffic of the experiment {experiment_id!r} is set by its rollout. Pause it, or stop it."
            )
        with _conflicts():
            wider = with_traffic(experiment_of(record), traffic, owning_buckets(self._store, experiment_id))
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
        rollout: ExperimentRollout | None = None,
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
                rollout=None if rollout is None else rollout.to_dict(),
                # What was checked is what is changed.
                expected_revision=record.revision if revision is None else revision,
            )
            self._store.audit.append(AuditEntry(actor, f"experiment.{act}", record.experiment_id, dict(detail or {})))
        return changed


@contextmanager
def _conflicts() -> Iterator[None]:
    """What was asked for is right by itself, and contradicts what is there."""
    try:
        yield
    except ExperimentError as error:
        raise Conflict(str(error)) from None


def _checked(experiment_id: str, definition: Mapping[str, Any], status: str) -> Experiment:
    own = {name: value for name, value in definition.items() if name not in _OWN_KEYS}
    return experiment_from_dict({"salt": uuid4().hex, **own, "id": experiment_id, "status": status})
