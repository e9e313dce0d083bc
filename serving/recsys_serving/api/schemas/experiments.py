"""Bodies of experiments: what is tested, its rollout, what it has shown, and how many users it needs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from recsys_serving.api.schemas.base import WHOLE, Moment, Name, RequestBody, ResponseBody, Title
from recsys_serving.api.schemas.experiment_definition import ExperimentDefinition
from recsys_serving.experimenting.experiment_rollout import compared_until, rollout_of
from recsys_serving.store.admin.records import ExperimentRecord, ExperimentStep


class ExperimentBody(RequestBody):
    """An experiment; its definition is checked by the rules of recsys.experiments."""

    experiment_id: Name
    name: Title
    definition: ExperimentDefinition


class ExperimentChangeBody(RequestBody):
    """What changes of an experiment; what is not named stays."""

    name: Title | None = None
    definition: ExperimentDefinition | None = None


class RampBody(RequestBody):
    """How much of a layer's traffic an experiment gets."""

    traffic: Annotated[float, Field(ge=0.0001, le=1)]


class RolloutBody(RequestBody):
    """How a variant is given to more and more users: the plan of a rollout."""

    steps: Annotated[
        list[float],
        Field(min_length=1, max_length=50, description="Shares that get the variant, ascending; up to .5, then 1."),
    ] = [0.01, 0.05, 0.10, 0.25, 0.50, 1.0]
    min_hours: Annotated[float, Field(ge=0, le=24 * 366, description="That each step lasts at least.")] = 24.0
    min_units: Annotated[
        int, Field(ge=0, le=10**12, description="Users of the variant at each step at least."), WHOLE
    ] = 1000


class RolloutResponse(ResponseBody):
    """Where a rollout is."""

    status: str = Field(description="running, done or rolled back.")
    step: int = Field(description="Number of the step, from 0.")
    steps: list[float]
    treatment_share: float = Field(description="Share of all users that get the variant now.")
    since: datetime = Field(description="When the step began.")
    reason: str = Field(description="Why it is where it is.")
    min_hours: float
    min_units: int
    everyone_since: datetime | None = Field(description="From when on there is no control; null: there is one.")

    @classmethod
    def of(cls, record: ExperimentRecord) -> RolloutResponse | None:
        """That of an experiment; None: it has no rollout."""
        rollout = rollout_of(record)
        if rollout is None:
            return None
        state = rollout.state
        return cls(
            status=state.status,
            step=state.step,
            steps=list(state.plan.steps),
            treatment_share=state.treatment_share,
            since=datetime.fromtimestamp(state.since, UTC),
            reason=state.reason,
            min_hours=state.plan.min_hours,
            min_units=state.plan.min_units,
            everyone_since=compared_until(rollout),
        )


class ExperimentResponse(ResponseBody):
    """An experiment as it is stored."""

    experiment_id: str
    name: str
    status: str
    definition: dict[str, Any]
    revision: int
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    stopped_at: datetime | None
    rollout: RolloutResponse | None = Field(description="Where its rollout is; null: it has none.")

    @classmethod
    def of(cls, one: ExperimentRecord) -> ExperimentResponse:
        """That of a record."""
        values = {name: getattr(one, name) for name in ExperimentResponse.model_fields}
        told = {"definition": dict(one.definition), "status": str(one.status), "rollout": RolloutResponse.of(one)}
        return ExperimentResponse(**values | told)


class ExperimentStepResponse(ResponseBody):
    """One thing that was done to an experiment."""

    at: datetime
    act: str
    actor: str
    detail: dict[str, Any]

    @classmethod
    def of(cls, one: ExperimentStep) -> ExperimentStepResponse:
        """That of a record."""
        return cls(at=one.at, act=one.act, actor=one.actor, detail=dict(one.detail))


class ExperimentsResponse(ResponseBody):
    """All experiments."""

    experiments: list[ExperimentResponse]


class ExperimentDetailResponse(ExperimentResponse):
    """An experiment and what was done to it."""

    steps: list[ExperimentStepResponse]


class LookResponse(ResponseBody):
    """What an experiment had shown at one look."""

    at: datetime
    num_units: dict[str, int] = Field(description="Users that are analysed, by variant.")
    num_unfinished: int = Field(description="Users whose windows are not over.")
    num_crossed: int = Field(description="Users that saw several variants, and are left out.")
    sample_ratio: dict[str, Any] = Field(description="Whether the variants have as many users as their shares say.")
    comparisons: dict[str, list[dict[str, Any]]] = Field(description="With control, by variant; valid at every look.")
    guardrails: dict[str, list[dict[str, Any]]] = Field(description="What must not get worse, by variant.")


class ExperimentResultsResponse(LookResponse):
    """What an experiment has shown so far."""

    experiment_id: str
    rollout: RolloutResponse | None = Field(description="Where its rollout is; null: it has none.")
    looks: list[LookResponse] = Field(description="As it was at the looks that were asked for; the last one is now's.")


class PowerBody(RequestBody):
    """What an experiment is to find. One of rate, mean with variance, experiment_id with metric says what is now."""

    relative_change: Annotated[float, Field(ge=-1, le=100, description="Of control's value, such as .05.")] = 0.05
    rate: Annotated[float | None, Field(gt=0, lt=1, description="Share of users with an event, today.")] = None
    mean: Annotated[float | None, Field(description="Of a number of each user, today.")] = None
    variance: Annotated[float | None, Field(gt=0, description="Of the same number.")] = None
    experiment_id: Annotated[Name | None, Field(description="Whose control is taken as today's users.")] = None
    metric: Annotated[Title | None, Field(description="Name of one of its metrics.")] = None
    power: Annotated[float, Field(ge=0.01, le=0.9999)] = 0.8
    alpha: Annotated[float, Field(ge=1e-9, le=0.5)] = 0.05
    treatment_share: Annotated[float, Field(ge=1e-4, le=1 - 1e-4)] = 0.5
    units: Annotated[int | None, Field(ge=4, le=10**12, description="What change would so many users show?")] = None
    units_per_day: Annotated[float | None, Field(gt=0, description="Users that take part each day.")] = None


class PowerResponse(ResponseBody):
    """Users that an experiment needs, of both variants together."""

    fixed_horizon: int = Field(description="Where one looks once, when they have all come.")
    always_valid: int = Field(description="Where one looks at any time.")
    days_fixed_horizon: float | None = Field(description="The same in days, where units_per_day is told.")
    days_always_valid: float | None
    detectable_change: float | None = Field(description="Relative change that units show when looked at once.")
    sentence: str


class TargetPolicyBody(RequestBody):
    """A policy to judge: other exploring, given items, or else a bundle with options, without any: the live one."""

    epsilon: Annotated[
        float | None, Field(ge=0, le=1, description="The ranker that was logged, exploring so often; 0: not at all.")
    ] = None
    item_probabilities: Annotated[
        dict[str, float] | None,
        Field(min_length=1, max_length=10_000, description="The same items for everybody; they add up to 1."),
    ] = None
    bundle: Annotated[Name | None, Field(description="A bundle that is open; null: the live one.")] = None
    list_options: Annotated[dict[str, Any], Field(description="As a variant has them.")] = {}


class OffPolicyBody(RequestBody):
    """Which policy is judged, by which lists that explored."""

    policy: TargetPolicyBody
    since: Annotated[Moment | None, Field(description="Lists shown from then on; null: of the last seven days.")] = None
    until: Annotated[Moment | None, Field(description="Lists shown before; null: whose attribution is over.")] = None
    experiment_id: Annotated[Name | None, Field(description="Only lists of this experiment; null: of all.")] = None
    event: Annotated[Title, Field(description="Type of the interactions that are the reward.")] = "click"
    attribution_hours: Annotated[float, Field(gt=0, le=24 * 90)] = 24.0
    places: Annotated[
        Literal["explored", "all"], Field(description="Places of a list that are judged: those that explored, or all.")
    ] = "explored"
    better: Literal["higher", "lower"] = "higher"
    max_lists: Annotated[int, Field(ge=1, le=10_000, description="The latest lists are read, at most so many.")] = 2_000
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 20.0


class OffPolicyResponse(ResponseBody):
    """What the log says of a policy, or why it cannot say it."""

    num_lists: int = Field(description="Lists that it was judged by.")
    left_out: dict[str, int] = Field(description="Lists that it was not judged by, by the reason.")
    places: list[int] = Field(description="Places that were judged, from 0.")
    estimates: list[dict[str, Any]] = Field(
        description="Of the reward of a list, by ips, snips and doubly_robust, with the overlap of both policies: its "
        "effective_size, and its problems where the verdict is refused."
    )
    unavailable: dict[str, str] = Field(description="Estimators that could not be used, and why.")
    sentence: str
