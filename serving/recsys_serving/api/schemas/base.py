"""What all bodies share: no unknown fields, no conversions, bounded sizes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

#: Characters of an id, at most.
MAX_ID = 256
#: Characters of a title, at most.
MAX_TITLE = 1_000
#: Properties of an item or a user, at most, and characters of their names.
MAX_PROPERTIES = 200
#: Bytes of all properties as JSON, at most.
MAX_PROPERTIES_BYTES = 16_384
#: Items of a list in a body, at most.
MAX_LIST = 1_000
#: Interactions or items of a batch, at most.
MAX_BATCH = 1_000
#: Tags of the two forms of a body; they are no part of the place of a fault.
ONE, SEVERAL = "one request", "several requests"
#: The moments that are taken; what lies outside is a mistake of units.
FIRST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
LAST_MOMENT = datetime(2100, 1, 1, tzinfo=UTC)

_MAX_INT = 2**53


class RequestBody(BaseModel):
    """A body that a client sends."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ResponseBody(BaseModel):
    """A body that the service sends."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _moment(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise PydanticCustomError("moment", "A time is required: ISO 8601 with a zone, or seconds since 1970")
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
        else:  # finer units than seconds are later than any year
            moment = datetime.fromtimestamp(min(value, LAST_MOMENT.timestamp()), UTC)
    except (ValueError, OverflowError, OSError):
        raise PydanticCustomError("moment", "A time is required: ISO 8601 with a zone, or seconds since 1970") from None
    if moment.tzinfo is None:
        raise PydanticCustomError("moment", "The time needs a zone, such as Z at its end")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        moment = LAST_MOMENT
    if not FIRST_MOMENT <= moment < LAST_MOMENT:
        raise PydanticCustomError("moment", "The time must lie between 1970 and 2099")
    return moment


def _whole(value: object) -> object:
    """A number without a fraction as a whole number, which it is in JSON however it is written: 3.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _describe_moment(schema: dict[str, Any]) -> None:
    seconds = {"type": "number", "minimum": 0, "exclusiveMaximum": int(LAST_MOMENT.timestamp())}
    schema["anyOf"] = [{"type": "string", "format": "date-time"}, seconds]


def _properties(value: dict[str, Any]) -> dict[str, Any]:
    size = len(orjson.dumps(value))
    if size > MAX_PROPERTIES_BYTES:
        raise PydanticCustomError(
            "properties", "At most {most} bytes of properties are allowed, as JSON", {"most": MAX_PROPERTIES_BYTES}
        )
    if any(isinstance(one, int) and not isinstance(one, bool) and abs(one) > _MAX_INT for one in _numbers(value)):
        raise PydanticCustomError("properties", "Whole numbers must lie between -2**53 and 2**53")
    return value


def _numbers(value: object) -> list[object]:
    found, waiting = [], [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
        else:
            found.append(one)
    return found


def _id(value: str) -> str:
    if value in (".", ".."):
        raise PydanticCustomError("id", "An id cannot be . or .., which mean something else in a path")
    return value


def _uuid(value: object) -> UUID:
    if isinstance(value, str) and len(value) == 36:
        try:
            return UUID(value)
        except ValueError:
            pass
    raise PydanticCustomError("uuid", "A UUID is required, such as 3f2b8c1e-8a4d-4e57-9d0a-6a1c2b3d4e5f")


#: An id of a user, an item or an event, chosen by the client.
Id = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_ID),
    AfterValidator(_id),
    Field(json_schema_extra={"not": {"enum": [".", ".."]}}),
]
#: A short name, such as the type of an interaction.
Name = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:\-]*$")]
#: What :mod:`recsys_serving.api.cursor_signer` and the recommender make.
CURSOR_PATTERN = r"^[A-Za-z0-9_\-]+$"
CursorText = Annotated[str, StringConstraints(min_length=1, max_length=200_000, pattern=CURSOR_PATTERN)]
#: A text that people read.
Title = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TITLE)]
#: A moment with a zone.
Moment = Annotated[
    datetime,
    BeforeValidator(_moment, json_schema_input_type=str | float),
    Field(
        json_schema_extra=_describe_moment,
        description="ISO 8601 with a zone, or seconds since 1970; from 1970 to 2099.",
    ),
]
#: Takes a whole number that is written 3.0; after the bounds of the field, so that they are described.
WHOLE = BeforeValidator(_whole)
#: An id that the service made.
Uuid = Annotated[UUID, BeforeValidator(_uuid, json_schema_input_type=UUID)]
#: Anything that JSON can hold, by name.
PropertiesField = Annotated[
    dict[Annotated[str, StringConstraints(min_length=1, max_length=128)], Any],
    Field(max_length=MAX_PROPERTIES, description=f"By name; at most {MAX_PROPERTIES_BYTES} bytes as JSON."),
    AfterValidator(_properties),
]
#: A single value of a column.
Scalar: TypeAlias = str | bool | int | float
