"""Experiments on what users are shown."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from fastapi import Response

from recsys_serving.api.entity_tags import entity_tag, expected_revision
from recsys_serving.api.parts import Caller, Parts
from recsys_serving.api.routing import IfMatch, PathName, api_router, created_at, operation, reply
from recsys_serving.api.schemas.administration import (
    ExperimentBody,
    ExperimentChangeBody,
    ExperimentDetailResponse,
    ExperimentResponse,
    ExperimentResultsResponse,
    ExperimentsResponse,
    ExperimentStepResponse,
    RampBody,
)
from recsys_serving.experimenting.experiment_changes import ExperimentChanges, experiment_of
from recsys_serving.experimenting.results import experiment_results
from recsys_serving.store.admin.records import ExperimentRecord
from recsys_serving.store.errors import NotFound

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
        "ramp_experiment",
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
    record = parts.store.experiments.get(experiment_id)
    if record is None:
        raise NotFound(f"There is no experiment {experiment_id!r}.")
    steps = [ExperimentStepResponse.of(one) for one in parts.store.experiments.steps(experiment_id)]
    told = ExperimentDetailResponse(**ExperimentResponse.of(record).model_dump(), steps=steps)
    return reply(told, headers={"ETag": entity_tag(record.revision)})


@router.get(
    "/v1/experiments/{experiment_id}/results",
    response_model=ExperimentResultsResponse,
    **operation("read", 404, summary="What an experiment has shown so far"),
)
def read_results(experiment_id: PathName, parts: Parts) -> Response:
    """Intervals that hold at every look: ask as often as you like, and stop whenever they say enough."""
    record = parts.store.experiments.get(experiment_id)
    if record is None:
        raise NotFound(f"There is no experiment {experiment_id!r}.")
    outcomes = parts.store.exposures.outcomes(experiment_id)
    results = experiment_results(experiment_of(record), outcomes, datetime.now(UTC))
    return reply(ExperimentResultsResponse(experiment_id=experiment_id, **asdict(results)))


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
    "/v1/experiments/{experiment_id}/stop",
    response_model=ExperimentResponse,
    **operation("admin", 404, 409, 412, summary="Stop an experiment"),
)
def stop_experiment(experiment_id: PathName, parts: Parts, caller: Caller) -> Response:
    """Everybody gets what is live; a stopped experiment does not start again."""
    return _experiment_reply(ExperimentChanges(parts.store).stop(experiment_id, caller.key_id))


def _experiment_reply(record: ExperimentRecord, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return reply(ExperimentResponse.of(record), status, {"ETag": entity_tag(record.revision), **(headers or {})})
