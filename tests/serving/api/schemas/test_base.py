from datetime import UTC, datetime
from typing import Annotated

import pytest
from pydantic import Field, TypeAdapter, ValidationError
from recsys_serving.api.schemas.base import (
    MAX_PROPERTIES_BYTES,
    WHOLE,
    Id,
    Moment,
    Name,
    PropertiesField,
    RequestBody,
    Uuid,
)
from recsys_serving.store.schema.partitions import check_moment

moment, properties, uuid = TypeAdapter(Moment), TypeAdapter(PropertiesField), TypeAdapter(Uuid)


@pytest.mark.parametrize(
    "written",
    ["2024-05-01T12:00:00Z", "2024-05-01T14:00:00+02:00", 1714564800, 1714564800.0],
    ids=["utc", "zone", "seconds", "fraction"],
)
def test_one_moment_is_written_in_several_ways(written):
    assert moment.validate_python(written) == datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("2024-05-01T12:00:00", "needs a zone"),
        ("yesterday", "ISO 8601"),
        (True, "ISO 8601"),
        (float("nan"), "ISO 8601"),
        (1e300, "between 1970 and 2099"),
        (1714564800000, "between 1970 and 2099"),
        ("1969-12-31T23:59:59Z", "between 1970 and 2099"),
        ("9999-12-31T23:59:59-12:00", "between 1970 and 2099"),
    ],
)
def test_what_is_no_moment(written, message):
    with pytest.raises(ValidationError, match=message):
        moment.validate_python(written)


def test_properties_are_bounded():
    assert properties.validate_python({"a": [1, {"b": None}]}) == {"a": [1, {"b": None}]}
    with pytest.raises(ValidationError, match="At most 16384 bytes"):
        properties.validate_python({"a": "x" * MAX_PROPERTIES_BYTES})
    with pytest.raises(ValidationError, match="at most 200 items"):
        properties.validate_python({str(number): 1 for number in range(201)})
    with pytest.raises(ValidationError, match=r"between -2\*\*53 and 2\*\*53"):
        properties.validate_python({"a": [2**53 + 1]})


def test_a_uuid_is_written_in_one_way():
    written = "3f2b8c1e-8a4d-4e57-9d0a-6a1c2b3d4e5f"
    assert str(uuid.validate_python(written)) == written
    for other in (written.replace("-", ""), "{" + written + "}", 5, "x" * 36):
        with pytest.raises(ValidationError, match="A UUID is required"):
            uuid.validate_python(other)


@pytest.mark.parametrize(
    ("kind", "value"), [(Id, ""), (Id, ".."), (Id, "x" * 257), (Name, "-a"), (Name, "a b"), (Name, "x" * 65)]
)
def test_ids_and_names_are_bounded(kind, value):
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


def test_a_body_takes_no_unknown_field_and_converts_nothing():
    class Body(RequestBody):
        number: int

    for wrong in ({"number": 1, "other": 2}, {"number": "1"}, {"number": 1.0}, {"number": True}):
        with pytest.raises(ValidationError):
            Body.model_validate(wrong)


@pytest.mark.parametrize("written", [3, 3.0])
def test_a_whole_number_may_be_written_with_a_fraction_of_nothing(written):
    class Body(RequestBody):
        number: Annotated[int, WHOLE]

    assert Body(number=written).number == 3


def test_the_bounds_of_a_whole_number_are_described():
    class Body(RequestBody):
        number: Annotated[int, Field(ge=1, le=9), WHOLE]

    described = Body.model_json_schema()["properties"]["number"]
    assert (described["type"], described["minimum"], described["maximum"]) == ("integer", 1, 9)


@pytest.mark.parametrize("written", [3.5, "3", True, float("inf"), None])
def test_what_is_no_whole_number(written):
    class Body(RequestBody):
        number: Annotated[int, WHOLE]

    with pytest.raises(ValidationError):
        Body(number=written)


def test_every_moment_that_is_taken_can_be_stored():
    schema = moment.json_schema()["anyOf"][1]
    for seconds in (schema["minimum"], schema["exclusiveMaximum"] - 1):
        assert check_moment(moment.validate_python(seconds)).timestamp() == seconds
    with pytest.raises(ValidationError):
        moment.validate_python(schema["exclusiveMaximum"])
