"""A new variant is given to more and more units, step by step, and taken back by itself where it does harm.

While treatment has up to half of the units, control has as many: the units of both come at the same time, so that a
comparison of all units so far is fair, however the traffic changes from day to day. The other units take no part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal

from recsys.errors import ExperimentError
from recsys.experiments.experiment import Experiment
from recsys.experiments.guardrails import GuardrailResult
from recsys.experiments.layers import with_traffic
from recsys.experiments.metric import require_number, require_one_of
from recsys.experiments.sample_ratio import SampleRatioResult

RolloutStatus = Literal["running", "done", "rolled back"]
ROLLOUT_STATUSES = ("running", "done", "rolled back")


@dataclass(frozen=True, slots=True)
class RolloutPlan:
    """The steps, and how long each lasts at least.

    Args:
        steps: shares of the units that get treatment, ascending; up to .5 there is a control, and 1 is everyone.
        min_hours: each step lasts so long at least, so that it sees all times of a day.
        min_units: so many units of treatment come in at each step at least.

    Raises:
        ExperimentError: the steps do not ascend, or a value is out of range.
    """

    steps: Sequence[float] = (0.01, 0.05, 0.10, 0.25, 0.50, 1.0)
    min_hours: float = 24.0
    min_units: int = 1000

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self.steps))
        if not self.steps:
            raise ExperimentError("a rollout needs at least one step, such as .01; there is none")
        for share in self.steps:
            require_number("a step of a rollout", share, 0.0001, 1.0)
            if 0.5 < share < 1:
                raise ExperimentError(
                    f"a step of a rollout is at most .5, so that control is as large, or 1, which is everyone; "
                    f"{share:g} came"
                )
        if any(before >= after for before, after in pairwise(self.steps)):
            raise ExperimentError(f"the steps of a rollout must ascend; they are {list(self.steps)}")
        require_number("min_hours", self.min_hours, 0.0, 24.0 * 366)
        require_number("min_units", self.min_units, 0, 1e12)


@dataclass(frozen=True, slots=True)
class RolloutState:
    """Where a rollout is. It is changed by :func:`next_step` alone, and may be stored as a mapping.

    Args:
        plan: the steps.
        since: when the step began, in seconds since 1970.
        step: its number, from 0.
        units_before: units of treatment when the step began.
        status: ``running``, ``done`` or ``rolled back``.
        reason: why it is as it is, in a sentence.

    Raises:
        ExperimentError: there is no such step or status.
    """

    plan: RolloutPlan = field(default_factory=RolloutPlan)
    since: float = 0.0
    step: int = 0
    units_before: int = 0
    status: RolloutStatus = "running"
    reason: str = "The rollout has begun."

    def __post_init__(self) -> None:
        require_one_of("the status of a rollout", self.status, ROLLOUT_STATUSES)
        if not 0 <= self.step < len(self.plan.steps):
            raise ExperimentError(f"a rollout of {len(self.plan.steps)} steps has no step {self.step}")

    @property
    def treatment_share(self) -> float:
        """Share of all units that get treatment; 0 after a rollback."""
        return 0.0 if self.status == "rolled back" else float(self.plan.steps[self.step])

    @property
    def control_share(self) -> float:
        """Share of all units that treatment is compared with."""
        return min(self.treatment_share, 1.0 - self.treatment_share)

    def to_dict(self) -> dict[str, Any]:
        """The state as plain mappings, lists, texts and numbers."""
        written = asdict(self)
        written["plan"]["steps"] = list(self.plan.steps)
        return written

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> RolloutState:
        """The state that :meth:`to_dict` wrote.

        Raises:
            ExperimentError: a key is unknown, or a value is wrong.
        """
        try:
            values = dict(written)
            return cls(plan=RolloutPlan(**values.pop("plan", {})), **values)
        except TypeError as error:
            raise ExperimentError(f"the state of a rollout cannot be read from {written!r}: {error}") from None


def next_step(
    state: RolloutState,
    guardrails: Sequence[GuardrailResult],
    units: int,
    now: float,
    sample_ratio: SampleRatioResult | None = None,
) -> RolloutState:
    """Roll back, hold, or go one step further. It may be called at any time, as often as one likes.

    A guardrail that is crossed rolls back at once and for good. Otherwise the rollout holds where the units of the
    variants do not have their shares, where the step is too young or has too few units, and where a guardrail could not
    be measured yet; else it goes on.

    Args:
        state: where it is.
        guardrails: by :func:`recsys.experiments.guardrails.check_guardrails`, of all units since the rollout began.
            When everyone has treatment, control gets no units any more: then treatment's units of that step count for
            limits alone, and not where it is compared with control.
        units: of treatment, since the rollout began.
        now: seconds since 1970.
        sample_ratio: the check of the shares; None: it was not made.

    Returns:
        The state now; itself, with another reason perhaps, where it holds.

    Raises:
        ExperimentError: ``now`` or ``units`` is less than when the step began.
    """
    if state.status != "running":
        return state
    if now < state.since or units < state.units_before:
        raise ExperimentError(
            f"the step began at {state.since:g} with {state.units_before} units, and now is {now:g} with {units}: pass "
            "the clock's seconds and all units since the rollout began"
        )
    crossed = [result.sentence for result in guardrails if result.crossed]
    if crossed:
        return replace(state, status="rolled back", since=now, reason=" ".join(["Rolled back.", *crossed]))
    waiting = _why_it_holds(state, guardrails, units, now, sample_ratio)
    if waiting is not None:
        return replace(state, reason=f"Holds at {state.treatment_share:.4g} of the units: {waiting}")
    if state.step + 1 == len(state.plan.steps):
        return replace(state, status="done", since=now, reason="Done: the last step has passed.")
    share = state.plan.steps[state.step + 1]
    return replace(
        state, step=state.step + 1, since=now, units_before=units, reason=f"Goes on to {share:.4g} of the units."
    )


def at_step(experiment: Experiment, state: RolloutState, others: Iterable[Experiment] = ()) -> Experiment:
    """The experiment with the traffic and the shares of a step, and its status.

    Whoever has treatment keeps it from step to step. After a rollback, or when the rollout is done, the experiment is
    stopped.

    Args:
        experiment: of two variants, control first.
        state: where the rollout is.
        others: experiments that may own buckets of the same layer.

    Raises:
        ExperimentError: there are not two variants, or the layer has not so many free buckets.
    """
    if len(experiment.variants) != 2:
        raise ExperimentError(
            f"a rollout has two variants, control and treatment; experiment {experiment.id!r} has "
            f"{len(experiment.variants)}"
        )
    if state.status != "running":
        return replace(experiment, status="stopped")
    treatment = state.treatment_share / (state.treatment_share + state.control_share)
    control, new = experiment.variants
    variants = (replace(control, share=1.0 - treatment), replace(new, share=treatment))
    traffic = min(1.0, state.treatment_share + state.control_share)
    return with_traffic(replace(experiment, variants=variants, status="running"), traffic, others)


def _why_it_holds(
    state: RolloutState,
    guardrails: Sequence[GuardrailResult],
    units: int,
    now: float,
    sample_ratio: SampleRatioResult | None,
) -> str | None:
    if sample_ratio is not None and sample_ratio.mismatch:
        return sample_ratio.sentence
    hours, plan = (now - state.since) / 3600, state.plan
    if hours < plan.min_hours:
        return f"{hours:.1f} of at least {plan.min_hours:g} hours have passed."
    if units - state.units_before < plan.min_units:
        return f"{units - state.units_before} of at least {plan.min_units} units of treatment have come at this step."
    unmeasured = [result.guardrail.metric for result in guardrails if not result.measured]
    return f"too few units to measure {', '.join(unmeasured)}." if unmeasured else None
