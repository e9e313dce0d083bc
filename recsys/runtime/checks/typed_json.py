"""Data classes from JSON, with the type of every value checked."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from recsys.retrieval.shown_value import shown_value


def from_json(kind: Any, written: object, place: str = "") -> Any:
    """What a type makes of parsed JSON.

    Args:
        kind: a data class, a mapping from texts, a tuple, a union with None, an enumeration, ``str``, ``int``,
            ``float``, ``bool`` or ``Any``.
        written: as the ``json`` module gives it.
        place: where it stands, for messages.

    Raises:
        ValueError: a value is of another type, a field is missing, or there is one too many; it says where.

    Example:
        >>> from_json(tuple[float, float] | None, [1, 5], "rating_range")
        (1.0, 5.0)
    """
    if kind is Any:
        return written
    if dataclasses.is_dataclass(kind):
        return _data_class(kind, written, place)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _union(arguments, written, place)
    if origin is tuple:
        return _tuple(arguments, written, place)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        members = _require(written, dict, "an object", place)
        return {name: from_json(arguments[1], value, _inside(place, name)) for name, value in members.items()}
    if isinstance(kind, type) and issubclass(kind, Enum):
        known = [member.value for member in kind]
        if written not in known:
            raise ValueError(f"{place} must be {', '.join(map(str, known))}, but it is {shown_value(written)}")
        return kind(written)
    return _plain(kind, written, place)


def _data_class(kind: Any, written: object, place: str) -> Any:
    members = _require(written, dict, "an object", place)
    hints = _hints(kind)
    fields = {one.name: one for one in dataclasses.fields(kind) if one.init}
    unknown = sorted(set(members) - set(fields))
    if unknown:
        raise ValueError(f"{_inside(place, unknown[0])} is not known")
    values = {name: from_json(hints[name], value, _inside(place, name)) for name, value in members.items()}
    for name, one in fields.items():
        has_default = one.default is not dataclasses.MISSING or one.default_factory is not dataclasses.MISSING
        if name not in values and not has_default:
            raise ValueError(f"{_inside(place, name)} is missing")
    return kind(**values)


def _union(arguments: tuple[Any, ...], written: object, place: str) -> Any:
    if written is None and type(None) in arguments:
        return None
    others = [one for one in arguments if one is not type(None)]
    errors = []
    for one in others:
        try:
            return from_json(one, written, place)
        except ValueError as error:
            errors.append(error)
    raise errors[0]


def _tuple(arguments: tuple[Any, ...], written: object, place: str) -> tuple[Any, ...]:
    values = _require(written, list, "a list", place)
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        arguments = (arguments[0],) * len(values)
    if len(values) != len(arguments):
        raise ValueError(f"{place} must have {len(arguments)} values, but it has {len(values)}")
    pairs = enumerate(zip(arguments, values, strict=True))
    return tuple(from_json(kind, value, f"{place}[{position}]") for position, (kind, value) in pairs)


_WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def _plain(kind: Any, written: object, place: str) -> Any:
    if kind is float and isinstance(written, int) and not isinstance(written, bool):
        return float(written)
    if kind in _WORDS and (not isinstance(written, kind) or (isinstance(written, bool) and kind is not bool)):
        raise ValueError(f"{place} must be {_WORDS[kind]}, but it is {shown_value(written)}")
    return written


def _require(written: object, kind: type, words: str, place: str) -> Any:
    if not isinstance(written, kind):
        raise ValueError(f"{place or 'it'} must be {words}, but it is {shown_value(written)}")
    return written


def _inside(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


@lru_cache(64)
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
