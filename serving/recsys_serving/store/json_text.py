"""JSON as text, for the columns that hold it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from recsys_serving.store.errors import StoreRefused

#: What JSON can hold, by name.
Properties = Mapping[str, Any]

#: Every whole number up to it is a float as well.
_MAX_INT = 2**53


def to_json(value: Any) -> str:
    """JSON without numbers that it does not have.

    Raises:
        StoreRefused: the value has a NaN or an infinity, or is not made of what JSON can hold.
    """
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise StoreRefused(f"Properties must be what JSON can hold: {error}. Correct them.") from error


def from_json(text: str | bytes) -> Any:
    """What JSON of the database says.

    PostgreSQL writes 1e30 as a one with thirty zeros. A whole number beyond 2**53 was no whole number when it came, as
    the service takes none, so it is a float again.
    """
    return json.loads(text, parse_int=_number)


def _number(text: str) -> int | float:
    number = int(text)
    return number if abs(number) <= _MAX_INT else float(number)


def properties_json(properties: Properties) -> str:
    """Properties as JSON.

    Raises:
        StoreRefused: they are not made of what JSON can hold.
    """
    return to_json(dict(properties))
