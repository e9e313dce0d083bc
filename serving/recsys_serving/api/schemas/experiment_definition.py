"""How an experiment's definition is described; :mod:`recsys.experiments` checks it, more than JSON Schema can."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import WithJsonSchema

from recsys.experiments.experiment import NUM_BUCKETS, UNITS
from recsys.experiments.metric import DIRECTIONS, KINDS

_NAME = {"type": "string", "pattern": r"\S"}
_NAME_OR_NULL = {"anyOf": [_NAME, {"type": "null"}]}
_HOURS = {"type": "number", "minimum": 0, "maximum": 24 * 366}
_NUMBER_OR_NULL = {"anyOf": [{"type": "number"}, {"type": "null"}]}
_BUCKET = {"type": "integer", "minimum": 0, "maximum": NUM_BUCKETS}


def _object(required: tuple[str, ...], **properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": properties,
        "additionalProperties": False,
    }


_VARIANT = _object(
    ("name", "share"),
    name=_NAME,
    share={"type": "number", "minimum": 0, "maximum": 1},
    bundle=_NAME_OR_NULL,
    list_options={"type": "object", "description": "What is different in the requests, such as diversity."},
)
_METRIC = _object(
    ("name", "event"),
    name=_NAME,
    event=_NAME,
    kind={"enum": list(KINDS)},
    denominator={**_NAME_OR_NULL, "description": "Of a ratio, and of nothing else."},
    sum_values={"type": "boolean"},
    better={"enum": list(DIRECTIONS)},
)
_GUARDRAIL = _object(
    ("metric",),
    metric=_NAME,
    better={"enum": list(DIRECTIONS)},
    relative_tolerance=_NUMBER_OR_NULL,
    limit={**_NUMBER_OR_NULL, "description": "Either this or relative_tolerance."},
)
_SCHEMA = _object(
    ("variants",),
    id={"description": "That of the experiment counts."},
    status={"description": "That of the experiment counts."},
    salt=_NAME,
    variants={
        "type": "array",
        "minItems": 2,
        "items": _VARIANT,
        "description": "Control first; their shares add up to 1, and their names differ.",
    },
    layer=_NAME,
    buckets={
        "type": "array",
        "items": {"type": "array", "items": _BUCKET, "minItems": 2, "maxItems": 2},
        "description": "Ranges of the layer's buckets whose users take part, each from and up to.",
    },
    unit={"enum": list(UNITS)},
    metrics={"type": "array", "items": _METRIC, "description": "The first is what the experiment is decided by."},
    guardrails={"type": "array", "items": _GUARDRAIL},
    overrides={"type": "object", "additionalProperties": _NAME, "description": "Variant by user."},
    exposure_window_hours=_HOURS,
    attribution_window_hours=_HOURS,
)

#: The definition of an experiment, as the client sends it.
ExperimentDefinition = Annotated[dict[str, Any], WithJsonSchema(_SCHEMA)]
