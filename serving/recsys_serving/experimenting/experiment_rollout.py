"""The rollout of an experiment: where it is, as it is stored, and from when on everyone has treatment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from recsys.errors import ExperimentError
from recsys.experiments.experiment import Experiment
from recsys.experiments.rollout import RolloutPlan, RolloutState
from recsys_serving.store.admin.records import ExperimentRecord

#: Who takes the steps of a rollout, in the steps of the experiment and in the audit.
ACTOR = "rollout"

_EVERYONE_SINCE = "everyone_since"


@dataclass(frozen=True, slots=True)
class ExperimentRollout:
    """Where the rollout of an experiment is.

    Args:
        state: the plan and its step.
        everyone_since: when treatment was given to everyone, in seconds since 1970; None: it was not yet. From then on
            there is no control, so that only lists from before are compared.
    """

    state: RolloutState
    everyone_since: float | None = None

    def then(self, state: RolloutState) -> ExperimentRollout:
        """The rollout in another state."""
        begins = self.everyone_since is None and state.status == "running" and _is_everyone(state)
        return ExperimentRollout(state, state.since if begins else self.everyone_since)

    def to_dict(self) -> dict[str, Any]:
        """As it is stored."""
        return {**self.state.to_dict(), _EVERYONE_SINCE: self.everyone_since}


def rollout_of(record: ExperimentRecord) -> ExperimentRollout | None:
    """The rollout of an experiment; None: it has none.

    Raises:
        ExperimentError: what is stored is not by the rules of this version.
    """
    if record.rollout is None:
        return None
    written: Mapping[str, Any] = record.rollout
    state = RolloutState.from_dict({name: value for name, value in written.items() if name != _EVERYONE_SINCE})
    return ExperimentRollout(state, written.get(_EVERYONE_SINCE))


def begin_rollout(experiment: Experiment, plan: RolloutPlan, now: float) -> ExperimentRollout:
    """The first step of an experiment's rollout.

    Raises:
        ExperimentError: nothing could take the variant back, or there would never be a control to compare it with.
    """
    if not experiment.guardrails:
        raise ExperimentError(
            f"a rollout needs a guardrail, or nothing would take its variant back; experiment {experiment.id!r} has "
            "none: add guardrails to its definition"
        )
    if plan.steps[0] == 1.0 and any(one.relative_tolerance is not None for one in experiment.guardrails):
        raise ExperimentError(
            "where a guardrail is relative to control, a rollout needs a step of at most .5 before everyone has "
            f"treatment; the steps are {list(plan.steps)}: add one, or give the guardrails a limit"
        )
    state = RolloutState(plan=plan, since=now)
    return ExperimentRollout(state, now if _is_everyone(state) else None)


def compared_until(rollout: ExperimentRollout | None) -> datetime | None:
    """The moment from which on lists have no control any more; None: there is one."""
    if rollout is None or rollout.everyone_since is None:
        return None
    return datetime.fromtimestamp(rollout.everyone_since, UTC)


def as_compared(experiment: Experiment, rollout: ExperimentRollout | None) -> Experiment:
    """The experiment with the shares that its variants had while there was a control."""
    if compared_until(rollout) is None:
        return experiment
    variants: Sequence[Any] = experiment.variants
    return replace(experiment, variants=[replace(one, share=1.0 / len(variants)) for one in variants])


def _is_everyone(state: RolloutState) -> bool:
    return float(state.plan.steps[state.step]) == 1.0
