"""The description of the API, with the limits of this installation and the form of all problems."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from recsys_serving.api.schemas.shared import ProblemResponse
from recsys_serving.settings import ServiceSettings

_DESCRIPTION = """Recommendations that know the last interaction, and all that makes them.

Every request has the header `Authorization: Bearer KEY`; a key has some of the scopes `read`, `write` and `admin`.
Every error is `application/problem+json` (RFC 9457). An answer has the header `X-Request-ID`: that of the request, or
one that was made. A change that is answered with 202 is safe on the service's disk and waits for its store."""


def install_openapi(app: FastAPI, settings: ServiceSettings) -> None:
    """Let ``app`` describe itself.

    Args:
        app: with all its routes.
        settings: whose limits are told.
    """

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title, version=app.version, routes=app.routes, description=_DESCRIPTION, tags=app.openapi_tags
            )
            _add_parts(schema)
            _add_limits(schema, settings)
            _drop_null_parameters(schema)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]


def _add_parts(schema: dict[str, Any]) -> None:
    components = schema.setdefault("components", {})
    problem = ProblemResponse.model_json_schema(ref_template="#/components/schemas/{model}")
    inner = problem.pop("$defs", {})
    schemas = components.setdefault("schemas", {})
    schemas |= {"ProblemResponse": problem, **inner}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "An API key, rk_..."}}


def _drop_null_parameters(schema: dict[str, Any]) -> None:
    """A parameter of a path, a query or a header is there or is left out; none is null."""
    for path in schema["paths"].values():
        for described in path.values():
            for parameter in described.get("parameters", ()):
                choices = [one for one in parameter["schema"].get("anyOf", ()) if one != {"type": "null"}]
                if len(choices) == 1:
                    del parameter["schema"]["anyOf"]
                    parameter["schema"] |= choices[0]


def _add_limits(schema: dict[str, Any], settings: ServiceSettings) -> None:
    """What this installation allows, where that is less than the service does at all."""
    limits = {
        ("RecommendationBody", "k"): ("maximum", settings.max_k),
        ("RecommendationBody", "exclude_items"): ("maxItems", settings.max_list),
        ("RecommendationBatchBody", "requests"): ("maxItems", settings.max_requests),
        ("SessionBody", "history"): ("maxItems", settings.max_history),
        ("InteractionBatchBody", "interactions"): ("maxItems", settings.max_batch),
        ("ItemBatchBody", "items"): ("maxItems", settings.max_batch),
    }
    for (model, field), (keyword, most) in limits.items():
        described = schema["components"]["schemas"][model]["properties"][field]
        described[keyword] = min(described.get(keyword, most), most)
    for path in schema["paths"].values():
        for described in path.values():
            for parameter in described.get("parameters", ()):
                if parameter["name"] == "k":
                    parameter["schema"]["maximum"] = min(parameter["schema"]["maximum"], settings.max_k)
