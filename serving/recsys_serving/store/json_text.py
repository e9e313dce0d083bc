"""JSON as text, for the columns that hold it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from recsys_serving.store.errors import StoreRefused

#: What JSON can hold, by name.
Properties = Mapping[str, Any]


def to_json(value: Any) -> str:
    """JSON without numbers that it does not have.

    Raises:
        StoreRefused: the value has a NaN or an infinity, or is not made of what JSON can hold.
    """
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise StoreRefused(f"Properties must be what JSON can hold: {error}. Correct them.") from error


def properties_json(properties: Properties) -> str:
    """Properties as JSON.

    Raises:
        StoreRefused: they are not made of what JSON can hold.
    """
    return to_json(dict(properties))
