"""Single values of a request: checked, and turned into plain Python values that cannot change afterwards.

NumPy's and pandas's numbers, arrays and series are taken for what they hold. Each error names the field.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from collections.abc import Set as AnySet
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

import numpy as np

from recsys.errors import RequestError, SettingsError
from recsys.retrieval.seen_policy import SeenPolicy
from recsys.retrieval.shown_value import shown_value
from recsys.runtime.user_features import FeatureValue

#: Larger numbers are no id, no length and no feature.
_INT64 = 2**63

_TEXTS, _FLOATS = {str}, {float}


def text_or_none(name: str, value: object) -> str | None:
    """A text, as it is.

    Raises:
        RequestError: it is neither a text nor None.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise RequestError(f"{name} must be text, but it is {shown_value(value)}.")
    return _plain_text(value)


def id_or_none(name: str, value: object) -> str | None:
    """An id as text; a whole number is the text of its digits.

    Raises:
        RequestError: it is no id.
    """
    return None if value is None else _id(name, value)


def ids(name: str, values: object) -> tuple[str, ...]:
    """A list, an array or a series of ids.

    Raises:
        RequestError: it is none, or one of them is no id.
    """
    told = values_of_list(name, values, of=" of item ids")
    if set(map(type, told)) <= _TEXTS:  # as nearly always, and looked at without a call for each
        return tuple(told)
    return tuple(_id(name, value, in_list=True) for value in told)


def positive(name: str, value: object) -> int:
    """A whole number of at least 1.

    Raises:
        RequestError: it is none.
    """
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < 1:
        raise RequestError(f"{name} must be a whole number of at least 1, but it is {shown_value(value)}.")
    return int(value)


def share(name: str, value: object) -> float:
    """A number from 0 to 1.

    Raises:
        RequestError: it is none.
    """
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise RequestError(f"{name} must be a number from 0 to 1, but it is {shown_value(value)}.")
    return float(value)


def truth(name: str, value: object) -> bool:
    """A truth value.

    Raises:
        RequestError: it is none.
    """
    value = plain(value)
    if not isinstance(value, bool):
        raise RequestError(f"{name} must be true or false, but it is {shown_value(value)}.")
    return value


def rating(value: object) -> float:
    """A finite number.

    Raises:
        RequestError: it is none.
    """
    value = plain(value)
    if isinstance(value, Real) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    raise RequestError(f"ratings must be finite numbers, but {shown_value(value)} came.")


def ratings(values: list[Any]) -> list[float]:
    """Finite numbers, see :func:`rating`.

    Raises:
        RequestError: one of them is none.
    """
    if set(map(type, values)) <= _FLOATS and all(map(math.isfinite, values)):
        return values
    return [rating(value) for value in values]


def seen_policy(name: str, value: object) -> SeenPolicy | None:
    """What happens to seen items; None where the request does not say.

    Raises:
        RequestError: it is no such policy.
    """
    if value is None:
        return None
    try:
        return SeenPolicy.parse(plain(value))
    except SettingsError as error:
        raise RequestError(str(error)) from error


def features(name: str, values: object) -> Mapping[str, FeatureValue]:
    """Columns with their values: a text, a number, a truth value, None, or several of them as a tuple.

    Raises:
        RequestError: they are of another form.
    """
    if not isinstance(values, Mapping) or not all(isinstance(column, str) for column in values):
        raise RequestError(
            f"{name} must be columns with their values, such as {{'age': 24}}, but they are {shown_value(values)}."
        )
    return MappingProxyType({_plain_text(column): _feature(name, column, told) for column, told in values.items()})


def values_of_list(name: str, values: object, of: str = "") -> list[Any]:
    """The values of a list, a tuple, an array or a series.

    Raises:
        RequestError: they are none.
    """
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__iter__") or not hasattr(values, "__len__"):
        raise RequestError(f"{name} must be a list{of}, but it is {shown_value(values)}.")
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        values = values.astype("datetime64[us]")  # as nanoseconds its values would be numbers
    plain_values = values.tolist() if hasattr(values, "tolist") else list(values)
    return plain_values if isinstance(plain_values, list) else [plain_values]


def plain(value: object) -> object:
    """NumPy's scalars, and arrays of no dimension, as Python's."""
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        scalar: object = value.item()
        return scalar
    return value


def _id(name: str, value: object, in_list: bool = False) -> str:
    value = plain(value)
    if isinstance(value, str):
        return _plain_text(value)
    if isinstance(value, Integral) and not isinstance(value, bool) and abs(int(value)) < _INT64:
        return str(int(value))
    what = f"a list of item ids, texts or whole numbers, but {shown_value(value)} is in it" if in_list else ""
    raise RequestError(f"{name} must be {what or f'text or a whole number, but it is {shown_value(value)}'}.")


def _feature(name: str, column: str, told: object) -> FeatureValue:
    if isinstance(told, list | tuple | AnySet | np.ndarray) or (hasattr(told, "tolist") and hasattr(told, "__len__")):
        value = plain(told)
        if value is told:
            several = values_of_list(f"{name}[{column!r}]", told)
            return tuple(_single(name, column, one) for one in several)
        told = value
    return None if told is None else _single(name, column, told)


def _single(name: str, column: str, told: object) -> str | int | float | bool:
    value = plain(told)
    if isinstance(value, str):
        return _plain_text(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, Integral) and abs(int(value)) < _INT64:
        return int(value)
    if isinstance(value, float):
        return float(value)
    raise RequestError(
        f"{name}[{column!r}] must be a text, a number, a truth value, a list of these or null, but "
        f"{shown_value(told)} came."
    )


def _plain_text(value: str) -> str:
    """The text without whatever a class of its own adds to it."""
    return str.__str__(value)
