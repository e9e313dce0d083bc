"""Bundles: which model answers."""

from __future__ import annotations

from fastapi import Response

from recsys_serving.api.parts import Caller, Parts
from recsys_serving.api.routing import PathName, api_router, operation, reply
from recsys_serving.api.schemas.administration import (
    BundlesResponse,
    DeploymentResponse,
    LoadedBundleResponse,
    NoteBody,
)
from recsys_serving.store.admin.records import AuditEntry
from recsys_serving.store.errors import NotFound

router = api_router("bundles")


@router.get("/v1/bundles", response_model=BundlesResponse, **operation("read", summary="The bundles that there are"))
def list_bundles(parts: Parts) -> Response:
    """Those that are open, those that may be activated, and what was live when."""
    return reply(
        BundlesResponse(
            loaded=[LoadedBundleResponse.of(one) for one in parts.recommendations.bundles()],
            available=parts.recommendations.available_bundles(),
            deployments=[DeploymentResponse.of(one) for one in parts.store.deployments.list_deployments(20)],
        )
    )


@router.post(
    "/v1/bundles/rollback",
    response_model=LoadedBundleResponse,
    **operation("admin", 409, summary="Go back to the bundle before", examples={"why": {"note": "fewer clicks"}}),
)
def roll_back(parts: Parts, caller: Caller, body: NoteBody | None = None) -> Response:
    """The bundle that was live before answers again, in each worker from its next answer on."""
    note = None if body is None else body.note
    live = parts.recommendations.roll_back(caller.key_id, note)
    parts.store.audit.append(AuditEntry(caller.key_id, "bundle.rollback", live.name, {"note": note}))
    return reply(LoadedBundleResponse.of(live))


@router.post(
    "/v1/bundles/{name}/activate",
    response_model=LoadedBundleResponse,
    **operation("admin", 404, 409, summary="Let a bundle answer", examples={"why": {"note": "trained on May"}}),
)
def activate_bundle(name: PathName, parts: Parts, caller: Caller, body: NoteBody | None = None) -> Response:
    """It is opened, checked and warmed up beside the old one, which goes on where that fails."""
    available = parts.recommendations.available_bundles()
    if name not in available:
        raise NotFound(f"There is no bundle {name!r}; there are {', '.join(available) or 'none'}.")
    note = None if body is None else body.note
    live = parts.recommendations.activate(name, caller.key_id, note)
    parts.store.audit.append(AuditEntry(caller.key_id, "bundle.activate", live.name, {"note": note}))
    return reply(LoadedBundleResponse.of(live))
