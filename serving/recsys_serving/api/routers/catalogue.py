"""What there is to filter by."""

from __future__ import annotations

from fastapi import Response

from recsys_serving.api.parts import Parts
from recsys_serving.api.routing import api_router, operation, reply
from recsys_serving.api.schemas.catalogue import CatalogueResponse

router = api_router("items")


@router.get(
    "/v1/catalogue",
    response_model=CatalogueResponse,
    **operation("read", summary="The columns of the items, and what they hold"),
)
def get_catalogue(parts: Parts) -> Response:
    """Kinds, frequent values with their counts, and ranges: what filters can be made of."""
    return reply(CatalogueResponse.of(parts.recommendations.catalogue()))
