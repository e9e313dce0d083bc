"""What a user wrote on the command line: ids, which Hydra would read as numbers (``1e5``, ``1_000``), and features."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from omegaconf import Container, DictConfig, ListConfig, OmegaConf

from recsys.errors import RecsysError

#: An element of a list: everything up to a comma that is neither quoted nor escaped.
_ELEMENT = re.compile(r"""(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\\.|[^,'"\\])+""")


def id_as_written(name: str, value: object, overrides: Sequence[str]) -> str:
    """The text of one id.

    Args:
        name: the setting.
        value: what Hydra made of it: right where it is text already.
        overrides: the arguments of the command line, ``name=value`` each.
    """
    return value if isinstance(value, str) else _written(name, overrides, str(value))


def ids_as_written(name: str, values: object, overrides: Sequence[str]) -> list[str]:
    """The texts of a list of ids; arguments as for :func:`id_as_written`.

    Raises:
        RecsysError: it is no list of ids, or an empty one.
    """
    elements = list(values) if isinstance(values, ListConfig) else []
    texts = [text.strip() for text in _ELEMENT.findall(_written(name, overrides, "").strip().strip("[]"))]
    if not elements or any(isinstance(element, Container) for element in elements):
        raise RecsysError(f"{name} must be a list of ids, such as '{name}=[50,172,1]', but it is {values}.")
    if len(texts) != len(elements):  # not given on the command line
        texts = [str(element) for element in elements]
    return [element if isinstance(element, str) else text for element, text in zip(elements, texts, strict=True)]


def parse_user_features(value: object) -> dict[str, Any]:
    """Columns of a user with their values, as ``user_features={age: 24}`` has them; none where nothing was given.

    Numbers are numbers here: a text that looks like one stands in quotes, ``{zip: "007"}``.

    Raises:
        RecsysError: they are no columns with values.
    """
    if value is None:
        return {}
    if not isinstance(value, DictConfig):
        raise RecsysError(
            f"user_features must be columns with their values, such as 'user_features={{age: 24}}', but it is {value}."
        )
    told = OmegaConf.to_container(value, resolve=True)
    assert isinstance(told, dict)
    return {str(name): of for name, of in told.items()}


def _written(name: str, overrides: Sequence[str], default: str) -> str:
    """What stands after ``name=``, the last time; ``default`` where it is not there."""
    return next((text.partition("=")[2] for text in reversed(overrides) if text.partition("=")[0] == name), default)
