"""Experiments on what users are shown."""

from __future__ import annotations

from fastapi import Response

from recsys.experiments.rollout import RolloutPlan
from recsys_serving.api.entity_tags import entity_tag, expected_revision
from recsys_serving.api.parts import Caller, Parts
from recsys_serving.api.routing import IfMatch, PathName, api_router, created_at, operation, reply
from recsys_serving.api.schemas.experiments import (
    ExperimentBody,
    ExperimentChangeBody,
    ExperimentDetailResponse,
    ExperimentResponse,
    ExperimentsResponse,
    ExperimentStepResponse,
    RampBody,
    RolloutBody,
)
from recsys_serving.experimenting.experiment_changes import ExperimentChanges
from recsys_serving.experimenting.reading import find_experiment
from recsys_serving.store.admin.records import ExperimentRecord

router = api_router("experiments")

_DEFINITION = {
    "variants": [
        {"name": "control", "share": 0.5},
        {"name": "diverse", "share": 0.5, "list_options": {"diversity": "mmr"}},
    ],
    "metrics": [{"name": "click_rate", "event": "click"}],
}
_LINKS = {
    name: {"experiment_id": "$response.body#/experiment_id"}
    for name in (
        "get_experiment",
        "read_results",
        "change_experiment",
        "start_experiment",
        "roll_out_experiment",
        "ramp_experiment",
        "pause_experiment",
        "resume_experiment",
        "stop_experiment",
    )
}


@router.get("/v1/experiments", response_model=ExperimentsResponse, **operation("read", summary="All experiments"))
def list_experiments(parts: Parts) -> Response:
    """In the order in which they were made."""
    records = parts.store.experiments.list_experiments()
    return reply(ExperimentsResponse(experiments=[ExperimentResponse.of(one) for one in records]))


@router.post(
    "/v1/experiments",
    status_code=201,
    response_model=ExperimentResponse,
    **operation(
        "admin",
        409,
        summary="Make an experiment",
        examples={
            "two variants": {"experiment_id": "diversity-1", "name": "More diverse lists", "definition": _DEFINITION}
        },
        others={201: created_at("/v1/experiments/{experiment_id}", **_LINKS)},
    ),
)
def make_experiment(body: ExperimentBody, parts: Parts, caller: Caller) -> Response:
    """A draft: nobody takes part before it is started."""
    record = ExperimentChanges(parts.store).create(body.experiment_id, body.name, body.definition, caller.key_id)
    return _experiment_reply(record, 201, {"Location": f"/v1/experiments/{record.experiment_id}"})


@router.get(
    "/v1/experiments/{experiment_id}",
    response_model=ExperimentDetailResponse,
    **operation("read", 404, summary="Read an experiment"),
)
def get_experiment(experiment_id: PathName, parts: Parts) -> Response:
    """With all that was done to it."""
    record = find_experiment(parts.store, experiment_id)
    steps = [ExperimentStepResponse.of(one) for one in parts.store.experiments.steps(experiment_id)]
    told = ExperimentDetailResponse(**ExperimentResponse.of(record).model_dump(), steps=steps)
    return reply(told, headers={"ETag": entity_tag(record.revision)})


@router.patch(
    "/v1/experiments/{experiment_id}",
    response_model=ExperimentResponse,
    **operation(
        "admin", 404, 409, 412, summary="Change an experiment", examples={"another name": {"name": "Diverse lists"}}
    ),
)
def change_experiment(
    experiment_id: PathName, body: ExperimentChangeBody, parts: Parts, caller: Caller, if_match: IfMatch = None
) -> Response:
    """The name at any time; the definition as long as it is a draft."""
    changes, revision = ExperimentChanges(parts.store), expected_revision(if_match)
    return _experiment_reply(changes.edit(experiment_id, body.name, body.definition, caller.key_id, revision))


@router.post(
    "/v1/experiments/{experiment_id}/start",
    response_model=ExperimentResponse,
    **operation("admin", 404, 409, 412, summary="Start an experiment"),
)
def start_experiment(experiment_id: PathName, parts: Parts, caller: Caller) -> Response:
    """Its users have their variants from the next answer of each worker on."""
    return _experiment_reply(ExperimentChanges(parts.store).start(experiment_id, caller.key_id))


@router.post(
    "/v1/experiments/{experiment_id}/ramp",
    response_model=ExperimentResponse,
    **operation(
        "admin",
        404,
        409,
        412,
        summary="Give an experiment more traffic, or less",
        examples={"a tenth": {"traffic": 0.1}},
    ),
)
def ramp_experiment(experiment_id: PathName, body: RampBody, parts: Parts, caller: Caller) -> Response:
    """Who takes part goes on, with the same variant, while the share grows."""
    return _experiment_reply(ExperimentChanges(parts.store).ramp(experiment_id, body.traffic, caller.key_id))


@router.post(
    "/v1/experiments/{experiment_id}/rollout",
    response_model=ExperimentResponse,
    **operation(
        "admin",
        404,
        409,
        412,
        summary="Start an experiment that gets more traffic by itself",
        examples={
            "the usual steps": {},
            "two steps, then everyone": {"steps": [0.05, 0.5, 1.0], "min_hours": 48, "min_units": 5000},
        },
    ),
)
def roll_out_experiment(experiment_id: PathName, body: RolloutBody, parts: Parts, caller: Caller) -> Response:
    """From a draft of two variants with guardrails: the second one goes to more and more users.

    A step lasts until there is enough to say that it does no harm; a guardrail that is crossed takes it back, for good.
    """
    plan = RolloutPlan(body.steps, body.min_hours, body.min_units)
    return _experiment_reply(ExperimentChanges(parts.store).roll_out(experiment_id, plan, caller.key_id))


@router.post(
    "/v1/experiments/{experiment_id}/pause",
    response_model=ExperimentResponse,
    **operation("admin", 404, 409, 412, summary="Pause an experiment"),
)
def pause_experiment(experiment_id: PathName, parts: Parts, caller: Caller) -> Response:
    """Everybody gets what is live, until it is resumed."""
    return _experiment_reply(ExperimentChanges(parts.store).pause(experiment_id, caller.key_id))


@router.post(
    "/v1/experiments/{experiment_id}/resume",
    response_model=ExperimentResponse,
    **operation("admin", 404, 409, 412, summary="Go on with a paused experiment"),
)
def resume_experiment(experiment_id: PathName, parts: Parts, caller: Caller) -> Response:
    """Users have the variants that they had before."""
    return _experiment_reply(ExperimentChanges(parts.store).resume(experiment_id, caller.key_id))


@router.post(
    "/v1/experiments/{experiment_id}/stop",
    response_model=ExperimentResponse,
    **operation("admin", 404, 409, 412, summary="Stop an experiment"),
)
def stop_experiment(experiment_id: PathName, parts: Parts, caller: Caller) -> Response:
    """Everybody gets what is live; a stopped experiment does not start again."""
    return _experiment_reply(ExperimentChanges(parts.store).stop(experiment_id, caller.key_id))


def _experiment_reply(record: ExperimentRecord, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return reply(ExperimentResponse.of(record), status, {"ETag": entity_tag(record.revision), **(headers or {})})
