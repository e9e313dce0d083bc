"""Whether the value of a setting has the type that a constructor's annotation asks for, and how that type is told."""

from __future__ import annotations

import collections.abc
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

#: Annotations of lists.
_LISTS = (list, tuple, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection)
_MAPPINGS = (dict, collections.abc.Mapping)
_PLAIN: dict[object, str] = {int: "a whole number", float: "a number", bool: "true or false", type(None): "null"}
_MANY: dict[object, str] = {int: "whole numbers", float: "numbers", str: "texts"}


def fits(value: object, hint: object) -> bool:
    """Whether ``value``, as YAML gives it, has the type ``hint``.

    A whole number is a number, but true and false are neither. What has a class for its type is a mapping with
    ``_target_``, which is checked by its own constructor.
    """
    if hint is Any or hint is object:
        return True
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(fits(value, argument) for argument in arguments)
    if origin is Literal:
        return any(value == argument and type(value) is type(argument) for argument in arguments)
    if isinstance(value, dict) and "_target_" in value:
        return hint not in _PLAIN and hint is not str
    if hint in (str, Path):
        return isinstance(value, str)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint in _PLAIN:
        return type(value) is hint
    return _fits_container(value, origin or hint, arguments)


def _fits_container(value: object, origin: object, arguments: tuple[object, ...]) -> bool:
    if origin in _LISTS:
        inside = [argument for argument in arguments if argument is not Ellipsis] or [Any]
        return isinstance(value, list) and all(any(fits(element, hint) for hint in inside) for element in value)
    if origin in _MAPPINGS:
        key, content = arguments or (Any, Any)
        return isinstance(value, dict) and all(fits(name, key) and fits(of, content) for name, of in value.items())
    return False


def described(hint: object) -> str:
    """``hint`` in words, such as ``a whole number or null``."""
    alternatives = list(_alternatives(hint))
    plain = [kind for kind in alternatives if not _is_class(kind)]
    *most, last = dict.fromkeys(_one(kind) for kind in plain or alternatives)
    return f"{', '.join(most)} or {last}" if most else last


def _alternatives(hint: object) -> Iterator[object]:
    """The parts of a union, and the values of literals, each as a literal of its own."""
    if get_origin(hint) in (Union, types.UnionType):
        for argument in get_args(hint):
            yield from _alternatives(argument)
    elif get_origin(hint) is Literal:
        yield from (Literal[argument] for argument in get_args(hint))
    else:
        yield hint


def _one(hint: object) -> str:
    """What is no union in words."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return str(arguments[0])
    if hint in (str, Path):
        return "text"
    if hint in _PLAIN:
        return _PLAIN[hint]
    if (origin or hint) in _LISTS:
        inside = next((argument for argument in arguments if argument is not Ellipsis), None)
        return f"a list of {_MANY[inside]}" if inside in _MANY else "a list"
    if (origin or hint) in _MAPPINGS:
        return "a mapping"
    return f"a {getattr(hint, '__name__', hint)}"


def _is_class(hint: object) -> bool:
    """Whether only an object can have this type, which no text, number or list has."""
    return isinstance(hint, type) and hint not in (*_PLAIN, str, Path, *_LISTS, *_MAPPINGS)
