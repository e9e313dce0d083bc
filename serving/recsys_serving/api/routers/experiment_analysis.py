"""What experiments show, and how large they must be."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Query, Response

from recsys.experiments.power import PowerSettings, detectable_change, plan_units
from recsys.experiments.unit_statistics import MeanStatistics, UnitStatistics
from recsys_serving.api.parts import Parts, ServiceParts
from recsys_serving.api.problems import ProblemError
from recsys_serving.api.routing import PathName, api_router, operation, reply
from recsys_serving.api.schemas.experiments import (
    ExperimentResultsResponse,
    LookResponse,
    OffPolicyBody,
    OffPolicyResponse,
    PowerBody,
    PowerResponse,
    RolloutResponse,
    TargetPolicyBody,
)
from recsys_serving.experimenting import reading
from recsys_serving.experimenting.off_policy_preview import PreviewQuery, preview_policy
from recsys_serving.experimenting.target_policies import BundlePolicy, ItemProbabilities, OtherEpsilon, TargetPolicy
from recsys_serving.store.store import Store

router = api_router("experiments")

#: Users of the moments that are made of a rate; planning does not depend on it.
_MANY = 1_000_000

#: How far back lists are looked at where nothing is said.
_LOOK_BACK = timedelta(days=7)

Looks = Annotated[int, Query(ge=1, le=400, description="Number of looks, at most; the last one is now's.")]
LookHours = Annotated[
    float, Query(ge=0.01, le=24 * 366, description="Between two looks; they are at multiples of it, in UTC.")
]


@router.get(
    "/v1/experiments/{experiment_id}/results",
    response_model=ExperimentResultsResponse,
    **operation("read", 404, summary="What an experiment has shown so far"),
)
def read_results(experiment_id: PathName, parts: Parts, looks: Looks = 1, look_hours: LookHours = 24.0) -> Response:
    """Intervals that hold at every look: ask as often as you like, and stop whenever they say enough.

    With `looks`, the results of as many days are in the answer, as they were to be seen then.
    """
    record = reading.find_experiment(parts.store, experiment_id)
    found = [asdict(one) for one in reading.read_results(parts.store, record, looks, look_hours)]
    told = ExperimentResultsResponse(
        experiment_id=experiment_id,
        rollout=RolloutResponse.of(record),
        looks=[LookResponse(**one) for one in found],
        **found[-1],
    )
    return reply(told)


@router.post(
    "/v1/experiments/power",
    response_model=PowerResponse,
    **operation(
        "read",
        404,
        summary="How many users an experiment needs",
        examples={
            "a rate": {"rate": 0.1, "relative_change": 0.05, "units_per_day": 2000},
            "a mean": {"mean": 3.2, "variance": 10.5, "relative_change": -0.02},
            "control of an experiment": {"experiment_id": "diversity-1", "metric": "click_rate", "units": 20000},
        },
    ),
)
def plan_experiment(body: PowerBody, parts: Parts) -> Response:
    """To find a change as large, looked at once or at any time; nothing is stored."""
    control = _control(body, parts.store)
    settings = PowerSettings(body.relative_change, body.power, body.alpha, body.treatment_share)
    planned = plan_units(control, settings)
    days = [
        None if body.units_per_day is None else units / body.units_per_day
        for units in (planned.fixed_horizon, planned.always_valid)
    ]
    return reply(
        PowerResponse(
            fixed_horizon=planned.fixed_horizon,
            always_valid=planned.always_valid,
            days_fixed_horizon=days[0],
            days_always_valid=days[1],
            detectable_change=None if body.units is None else detectable_change(control, body.units, settings),
            sentence=planned.sentence,
        )
    )


@router.post(
    "/v1/experiments/off-policy",
    response_model=OffPolicyResponse,
    **operation(
        "admin",
        409,
        summary="How another policy would have done",
        examples={
            "without exploring": {"policy": {"epsilon": 0}, "experiment_id": "diversity-1"},
            "another bundle": {"policy": {"bundle": "second"}, "since": "2026-01-01T00:00:00Z", "max_lists": 5000},
            "options": {"policy": {"list_options": {"diversity": "mmr"}}, "places": "all"},
            "these items for everybody": {"policy": {"item_probabilities": {"50": 0.5, "181": 0.5}}},
        },
    ),
)
def judge_policy(body: OffPolicyBody, parts: Parts) -> Response:
    """By lists that explored, and what came of them; a verdict is refused where the log cannot bear it.

    Histories are those of the moments of the lists. A bundle that was trained with what came of them looks better than
    it is: judge it by later ones.
    """
    now, attribution = datetime.now(UTC), timedelta(hours=body.attribution_hours)
    until = now - attribution if body.until is None else body.until
    query = PreviewQuery(
        since=until - _LOOK_BACK if body.since is None else body.since,
        until=until,
        event=body.event,
        attribution_seconds=attribution.total_seconds(),
        experiment_id=body.experiment_id,
        places=body.places,
        better=body.better,
        max_lists=body.max_lists,
        timeout_seconds=body.timeout_seconds,
    )
    found = preview_policy(parts.store.outcomes, _policy(body.policy, parts), query)
    return reply(OffPolicyResponse(**asdict(found)))


def _policy(body: TargetPolicyBody, parts: ServiceParts) -> TargetPolicy:
    chosen = [
        name
        for name, is_given in (
            ("epsilon", body.epsilon is not None),
            ("item_probabilities", body.item_probabilities is not None),
            ("bundle with list_options", body.bundle is not None or bool(body.list_options)),
        )
        if is_given
    ]
    if len(chosen) > 1:
        raise ProblemError(422, f"A policy is one thing; {' and '.join(chosen)} came. Judge them one after the other.")
    if body.epsilon is not None:
        return OtherEpsilon(body.epsilon)
    if body.item_probabilities is not None:
        return ItemProbabilities(body.item_probabilities)
    return BundlePolicy(parts.recommendations.past_lists, body.bundle, body.list_options)


def _control(body: PowerBody, store: Store) -> UnitStatistics:
    """How today's users are."""
    ways = (
        ("rate", body.rate is not None, True),
        ("mean with variance", body.mean is not None, body.variance is not None),
        ("experiment_id with metric", body.experiment_id is not None, body.metric is not None),
    )
    chosen = [name for name, is_given, is_whole in ways if is_given and is_whole]
    partly = any(
        one is not None and other is None
        for pair in ((body.mean, body.variance), (body.experiment_id, body.metric))
        for one, other in (pair, pair[::-1])
    )
    if len(chosen) != 1 or partly:
        raise ProblemError(
            422,
            f"One of {', '.join(name for name, _, _ in ways)} says what is now; {' and '.join(chosen) or 'none'} came"
            f"{', and half of another' if partly else ''}.",
        )
    if body.rate is not None:
        return MeanStatistics.from_successes(body.rate * _MANY, _MANY)
    if body.mean is not None and body.variance is not None:
        return MeanStatistics(_MANY, body.mean, body.variance)
    assert body.experiment_id is not None and body.metric is not None, "one of the three was chosen"
    return reading.read_control(store, reading.find_experiment(store, body.experiment_id), body.metric)
