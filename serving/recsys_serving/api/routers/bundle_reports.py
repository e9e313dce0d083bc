"""What is known of the models of a bundle, whether or not it is open."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated

from fastapi import Query, Response

from recsys.runtime.bundle import Bundle
from recsys.runtime.item_map import ItemMap, map_items
from recsys.runtime.manifest import fingerprint_of
from recsys_serving.api.parts import Parts, ServiceParts
from recsys_serving.api.routing import PathName, api_router, operation, reply
from recsys_serving.api.schemas.bundle_reports import BundleEvaluationResponse, ItemMapResponse
from recsys_serving.store.errors import NotFound

router = api_router("bundles")

#: Maps that are kept, and items of one, at most.
_MAX_MAPS, _MAX_ITEMS = 8, 2_000

MapLimit = Annotated[int, Query(ge=10, le=_MAX_ITEMS, description="Items of the map, at most.")]


@router.get(
    "/v1/bundles/{name}/evaluation",
    response_model=BundleEvaluationResponse,
    **operation("read", 404, 409, summary="How the models of a bundle were measured"),
)
def evaluation_of_bundle(name: PathName, parts: Parts) -> Response:
    """Metrics with intervals, coverage, segments and learning curves, as they were when it was exported."""
    return reply(BundleEvaluationResponse.of(Bundle.open(_directory(name, parts), verify=False)))


@router.get(
    "/v1/bundles/{name}/item-map",
    response_model=ItemMapResponse,
    **operation("read", 404, 409, summary="The items of a bundle on a plane"),
)
def map_bundle(name: PathName, parts: Parts, limit: MapLimit = 500) -> Response:
    """Items that the model takes for alike lie close to each other, as far as two dimensions can say so."""
    directory = _directory(name, parts)
    return reply(ItemMapResponse.of(name, _map(directory, fingerprint_of(directory), limit)))


@lru_cache(_MAX_MAPS)
def _map(directory: Path, fingerprint: str, limit: int) -> ItemMap:
    """The map of a bundle; another one under the same name has another fingerprint."""
    return map_items(Bundle.open(directory, verify=False), limit)


def _directory(name: str, parts: ServiceParts) -> Path:
    available = parts.recommendations.available_bundles()
    if name not in available:
        raise NotFound(f"There is no bundle {name!r}; there are {', '.join(available) or 'none'}.")
    return parts.settings.bundles_directory / name
