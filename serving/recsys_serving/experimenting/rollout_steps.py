"""Takes the steps of all rollouts: one worker at a time looks, and each step is taken once, whoever takes it.

Two things see to that. An advisory lock lets one process look at a time. And a step is written only where the
experiment still has the revision that was looked at, in one transaction with its entry in the audit: a worker that lost
the lock without knowing, or that was too late, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from recsys.errors import ExperimentError, RecsysError
from recsys.experiments.experiment import Experiment
from recsys.experiments.experiment_json import experiment_to_dict
from recsys.experiments.layers import check_layers
from recsys.experiments.rollout import RolloutState, at_step, next_step
from recsys_serving.experimenting.experiment_changes import experiment_of, owning_buckets
from recsys_serving.experimenting.experiment_rollout import ACTOR, ExperimentRollout, rollout_of
from recsys_serving.experimenting.rollout_evidence import RolloutEvidence, gather_evidence
from recsys_serving.resilience.repeating_thread import RepeatingThread
from recsys_serving.store.admin.records import AuditEntry, ExperimentRecord, ExperimentStatus
from recsys_serving.store.errors import PreconditionFailed
from recsys_serving.store.store import Store

#: Number of the advisory lock of whoever takes steps.
LOCK = 7_310_219_846_140

_EVERYONE = (
    "Everyone keeps treatment until the experiment is stopped: make its bundle or its options the live ones before."
)
_NOT_EVERYONE = "It runs on with the traffic of its last step until it is stopped."

_log = structlog.get_logger("recsys_serving.rollout")


class RolloutSteps:
    """Looks at all rollouts again and again.

    Args:
        store: with the experiments, the lists and what came of them.
        interval_seconds: between two looks.
        clock: tells the time.
    """

    def __init__(
        self,
        store: Store,
        interval_seconds: float,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store, self._clock = store, clock
        self._thread = RepeatingThread("rollouts", self.look, interval_seconds, interval_seconds)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """End after the look that is going on."""
        self._thread.close()

    def look(self) -> bool:
        """Take the steps that are due; False where another worker looks, or the store is away."""
        try:
            with self._store.leadership(LOCK) as leads:
                if leads:
                    self._look_at_all()
                return leads
        except RecsysError as error:
            _log.warning("rollouts stay where they are", error=type(error).__name__)
            return False

    def _look_at_all(self) -> None:
        for record in self._store.experiments.list_experiments(ExperimentStatus.RUNNING):
            try:
                rollout = rollout_of(record)
                if rollout is not None and rollout.state.status == "running":
                    self._look_at(record, rollout)
            except ExperimentError as error:
                # What is wrong with one shall not keep the others.
                _log.error("a rollout cannot go on", experiment=record.experiment_id, error=str(error))
            except PreconditionFailed:
                _log.info("somebody else changed an experiment", experiment=record.experiment_id)

    def _look_at(self, record: ExperimentRecord, rollout: ExperimentRollout) -> None:
        experiment, state = experiment_of(record), rollout.state
        # A clock may run late, and users that are erased take their units along.
        now = self._clock()
        moment = max(now.timestamp(), state.since)
        evidence = gather_evidence(self._store.outcomes, experiment, rollout, now)
        units = max(evidence.units, state.units_before)
        found = next_step(state, evidence.guardrails, units, moment, evidence.sample_ratio)
        changed = experiment
        if found.status == "done":
            found = replace(found, reason=f"{found.reason} {_EVERYONE if rollout.everyone_since else _NOT_EVERYONE}")
        elif (found.step, found.status) != (state.step, state.status):
            others = owning_buckets(self._store, record.experiment_id)
            try:
                changed = at_step(experiment, found, others)
                check_layers([changed, *others])
            except ExperimentError as error:
                found = replace(state, reason=f"Holds at {state.treatment_share:.4g} of the units: {error}")
        if (found.step, found.status) == (state.step, state.status):
            if found.reason != state.reason:
                self._store.experiments.note_rollout(
                    record.experiment_id, rollout.then(found).to_dict(), record.revision
                )
            return
        self._take(record, changed, rollout.then(found), evidence)

    def _take(
        self, record: ExperimentRecord, changed: Experiment, rollout: ExperimentRollout, evidence: RolloutEvidence
    ) -> None:
        state = rollout.state
        act = act_of(state)
        detail = {
            "step": state.step,
            "treatment_share": state.treatment_share,
            "units": evidence.units,
            "reason": state.reason,
        }
        with self._store.transaction():
            self._store.experiments.change(
                record.experiment_id,
                act,
                ACTOR,
                status=ExperimentStatus(changed.status),
                definition=experiment_to_dict(replace(changed, status="draft")),
                rollout=rollout.to_dict(),
                detail=detail,
                expected_revision=record.revision,
            )
            self._store.audit.append(AuditEntry(ACTOR, f"experiment.{act}", record.experiment_id, detail))
        _log.info("a rollout took a step", experiment=record.experiment_id, act=act, **detail)


def act_of(state: RolloutState) -> str:
    """What the step is called, in the steps of the experiment and in the audit."""
    return {"running": "rollout.step", "done": "rollout.done", "rolled back": "rollout.back"}[state.status]
