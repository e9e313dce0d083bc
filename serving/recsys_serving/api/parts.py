"""What endpoints work with; made once in each worker, when it starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from recsys_serving.api.cursor_signer import CursorSigner
from recsys_serving.api.health import HealthChecks
from recsys_serving.api.observability.metrics import ServiceMetrics
from recsys_serving.api.security.api_keys import Principal
from recsys_serving.api.security.authenticator import Authenticator
from recsys_serving.api.security.guard import Guard
from recsys_serving.recommending.service import RecommendationService
from recsys_serving.settings import ServiceSettings
from recsys_serving.store.store import Store
from recsys_serving.writing.erasure import Eraser
from recsys_serving.writing.write_gateway import WriteGateway


@dataclass(frozen=True, slots=True)
class ServiceParts:
    """All that answers.

    Args:
        settings: of the installation.
        store: PostgreSQL.
        writes: where changes go.
        recommendations: where lists come from.
        eraser: forgets users.
        authenticator: knows keys.
        guard: lets requests in.
        cursors: signs cursors.
        metrics: counts and times.
        health: asks the dependencies.
    """

    settings: ServiceSettings
    store: Store
    writes: WriteGateway
    recommendations: RecommendationService
    eraser: Eraser
    authenticator: Authenticator
    guard: Guard
    cursors: CursorSigner
    metrics: ServiceMetrics
    health: HealthChecks


async def parts_of(request: Request) -> ServiceParts:
    """The parts of the application that is asked."""
    parts: ServiceParts = request.app.state.parts
    return parts


async def principal_of(request: Request) -> Principal:
    """Who asks."""
    principal: Principal = request.state.principal
    return principal


Parts = Annotated[ServiceParts, Depends(parts_of)]
Caller = Annotated[Principal, Depends(principal_of)]
