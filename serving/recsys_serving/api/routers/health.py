"""Whether the service is alive and can answer, and what it measures."""

from __future__ import annotations

from fastapi import Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool

from recsys_serving.api.parts import Parts
from recsys_serving.api.routing import api_router, operation, reply
from recsys_serving.api.schemas.administration import DependencyResponse, LivenessResponse, ReadinessResponse

router = api_router("health")


@router.get("/healthz", response_model=LivenessResponse, **operation(None, summary="Whether the process is alive"))
async def is_alive() -> Response:
    """Asks nothing else; a process that does not answer this should be started again."""
    return reply(LivenessResponse())


@router.get(
    "/readyz",
    response_model=ReadinessResponse,
    **operation(
        None,
        summary="Whether it can answer",
        others={503: {"model": ReadinessResponse, "description": "It cannot answer."}},
    ),
)
def is_ready(parts: Parts) -> Response:
    """Each dependency by its name. While one that is not required is away, answers are plainer, and this says how."""
    found = parts.health.read()
    told = {
        name: DependencyResponse(status=one.status, required=one.required, effect=one.effect, detail=one.detail)
        for name, one in found.items()
    }
    down = [one for one in found.values() if one.status == "down"]
    if any(one.required for one in down):
        return reply(ReadinessResponse(status="unavailable", dependencies=told), 503)
    return reply(ReadinessResponse(status="degraded" if down else "ready", dependencies=told))


@router.get(
    "/metrics",
    response_class=Response,
    **operation(
        None,
        summary="Numbers for Prometheus",
        others={200: {"description": "Of all workers.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
    ),
)
async def metrics(parts: Parts) -> Response:
    """Counters and times of all workers together."""
    return Response(await run_in_threadpool(parts.metrics.text), media_type=CONTENT_TYPE_LATEST)
