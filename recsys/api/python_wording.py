"""Messages in the words of Python: what is a key of a command line elsewhere is an argument here.

The library names settings by their keys on the command line, ``data.columns.user=NAME``; who called a function reads
``columns={'user': 'NAME'}``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from omegaconf import OmegaConf

from recsys.errors import RecsysError

P = ParamSpec("P")
R = TypeVar("R")

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_LITERALS = {"true": True, "false": False, "null": None}

#: What divides the name of a setting from that of one inside it.
NESTED = "__"

#: A value on a command line: a mapping, a list, a quoted text, or what goes on to the next blank.
_VALUE = r"""(?P<value>\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|\[[^\[\]]*\]|'[^']*'|"[^"]*"|[^\s,;)('"]*[^\s,;)('".:])"""
_KEY = r"(?<![\w/.])(?P<group>data|preparation|model|split|evaluation)\.(?P<name>[a-z_]+(?:\.[a-z_]+)*)"
_SET = re.compile(rf"(?P<quote>'?){_KEY}={_VALUE}(?P=quote)")
_QUOTED = re.compile(rf"'{_KEY}=(?P<value>[^'{{\\[]*)'")
_SEVERAL_COLUMNS = re.compile(r"columns=\{[^{}]*\}(?:,? columns=\{[^{}]*\})+")
_FLAG = re.compile(r"\b(strict|refit)=(true|false)\b")
_PLACE = re.compile(r"\bpaths\.prepared_dir=\S+?(?=[\s.,)]|$)")

#: Settings that messages name without a value; others may be attributes or files, such as ``model.py``.
_NAMED = re.compile(
    r"(?<![\w/.])(?:"
    r"data\.(?P<column>columns)\.(?P<key>[a-z]+)"
    r"|data\.(?P<data>columns|interactions|train|valid|test|users|items|separator|encoding|header|root|day_first"
    r"|list_separators)(?!\.\w)"
    r"|data\.(?P<features>user_features|item_features)(?P<inside>(?:\.\w+)?)"
    r"|(?:preparation|evaluation)\.(?P<own>[a-z_]+)"
    r"|model\.(?P<model>max_items|sources|num_components|sentence_share|temperature|ratings_above|attention_temperature)"
    r")\b(?![(])"
)

_COMMANDS = (
    (re.compile(r"(?:python scripts/export\.py|recsys export) run=DIR output=(\S+)"), r"model.export('\1')"),
    (re.compile(r"(?:python scripts/prepare\.py|recsys prepare)\b(?! \S+=)"), "Dataset.save"),
    (re.compile(r"\bdata=table\b"), "a data set of tables"),
    (re.compile(r"\bsplit=([a-z_]+)\b"), r"data.split('\1')"),
    (re.compile(r"Give the path after 'run:'"), "Correct the path"),
)


def in_python(text: str) -> str:
    """A message with settings as arguments of Python.

    Example:
        >>> in_python("Say which it is with data.columns.user=NAME, or data.columns.rating=null.")
        "Say which it is with columns={'user': 'NAME'}, or columns={'rating': None}."
        >>> in_python("Set preparation.strip_ids=true to strip it.")
        'Set strip_ids=True to strip it.'
    """
    for command, words in _COMMANDS:
        text = command.sub(words, text)
    text = _PLACE.sub("directory=DIR", text)
    text = _SET.sub(_argument, _QUOTED.sub(_argument, text))
    text = _SEVERAL_COLUMNS.sub(_one_argument, text)
    text = _FLAG.sub(lambda found: f"{found[1]}={found[2].capitalize()}", text)
    return _NAMED.sub(_name, text)


def python_wording(function: Callable[P, R]) -> Callable[P, R]:
    """A function whose errors, those that a user can mend, are in the words of Python."""

    @functools.wraps(function)
    def worded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except RecsysError as error:
            if error.args and isinstance(error.args[0], str):
                error.args = (in_python(error.args[0]), *error.args[1:])
            raise

    return worded


def _argument(found: re.Match[str]) -> str:
    """An assignment as Python writes it."""
    first, *inner = found["name"].split(".")
    value = _value(found["value"])
    if first == "columns" and inner:
        return f"columns={{{inner[0]!r}: {value!r}}}"
    return f"{NESTED.join((first, *inner))}={value!r}"


def _one_argument(found: re.Match[str]) -> str:
    """Several columns as the one argument that Python takes."""
    columns = re.findall(r"columns=\{([^{}]*)\}", found[0])
    return f"columns={{{', '.join(columns)}}}"


def _value(written: str) -> Any:
    """What a value of a command line is in Python."""
    if written in _LITERALS:
        return _LITERALS[written]
    if written[0] in "{[":
        try:
            return OmegaConf.to_container(OmegaConf.create(written))
        except Exception:  # of a library below OmegaConf; a message must not fail
            return written
    if _NUMBER.fullmatch(written):
        return float(written) if "." in written else int(written)
    return written.strip("'\"")


def _name(found: re.Match[str]) -> str:
    if found["column"]:
        return f"columns[{found['key']!r}]"
    if found["features"]:
        inside = found["inside"].removeprefix(".")
        return f"{found['features']}[{inside!r}]" if inside else found["features"]
    return found["data"] or found["own"] or found["model"]
