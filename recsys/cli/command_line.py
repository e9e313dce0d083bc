"""What a user wrote on the command line: ids, which Hydra would read as numbers (``1e5``, ``1_000``), and features."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from omegaconf import Container, DictConfig, ListConfig, OmegaConf

from recsys.cli.overrides import quoted_text
from recsys.errors import RequestError

#: An element of a list: everything up to a comma that is neither quoted nor escaped.
_ELEMENT = re.compile(r"""(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\\.|[^,'"\\])+""")


#: An id that Hydra reads as it is: no signs of its grammar, and none of its words.
_BARE = re.compile(r"(?!(?:null|true|false|nan|inf)$)[A-Za-z0-9_][A-Za-z0-9_.-]*", re.IGNORECASE)


def id_as_written(name: str, value: object, overrides: Sequence[str]) -> str:
    """The text of one id.

    Args:
        name: the setting.
        value: what Hydra made of it: right where it is text already.
        overrides: the arguments of the command line, ``name=value`` each.
    """
    return value if isinstance(value, str) else _written(name, overrides, str(value))


def id_setting(text: str) -> str:
    """An id as the value of a setting, or as an element of a list: in quotes where it has signs of Hydra's grammar.

    Example:
        >>> [id_setting(text) for text in ("196", "B00-1x", "a=b")]
        ['196', 'B00-1x', '"a=b"']
    """
    return text if _BARE.fullmatch(text) else quoted_text(text)


def ids_as_written(name: str, values: object, overrides: Sequence[str]) -> list[str]:
    """The texts of a list of ids; arguments as for :func:`id_as_written`.

    Raises:
        RequestError: it is no list of ids, or an empty one.
    """
    elements = list(values) if isinstance(values, ListConfig) else []
    texts = [text.strip() for text in _ELEMENT.findall(_written(name, overrides, "").strip().strip("[]"))]
    if not elements or any(isinstance(element, Container) for element in elements):
        raise RequestError(f"{name} must be a list of ids, such as '{name}=[50,172,1]', but it is {values}.")
    if len(texts) != len(elements):  # not given on the command line
        texts = [str(element) for element in elements]
    return [element if isinstance(element, str) else text for element, text in zip(elements, texts, strict=True)]


def parse_user_features(value: object) -> dict[str, Any]:
    """Columns of a user with their values, as ``user_features={age: 24}`` has them; none where nothing was given.

    Numbers are numbers here: a text that looks like one stands in quotes, ``{zip: "007"}``.

    Raises:
        RequestError: they are no columns with values.
    """
    if value is None:
        return {}
    if not isinstance(value, DictConfig):
        raise RequestError(
            f"user_features must be columns with their values, such as 'user_features={{age: 24}}', but it is {value}."
        )
    features = OmegaConf.to_container(value, resolve=True)
    assert isinstance(features, dict)
    return {str(name): told for name, told in features.items()}


def request_arguments(config: DictConfig, overrides: Sequence[str]) -> dict[str, Any]:
    """What a command line asks for, as arguments of :class:`recsys.runtime.request.RecommendationRequest`.

    Args:
        config: with the settings of a request; those that it lacks keep their defaults.
        overrides: the arguments of the command line, from which ids are taken as they were written.

    Raises:
        RequestError: a setting is of another form than it should be, or nobody is asked for.
    """
    arguments: dict[str, Any] = {
        "user_id": None if config.user is None else id_as_written("user", config.user, overrides),
        "user_features": parse_user_features(config.user_features),
    }
    for name in ("history", "exclude_items"):
        if config[name] is not None:
            arguments[name] = ids_as_written(name, config[name], overrides)
    for name in ("ratings", "timestamps"):
        if config.get(name) is not None and config.history is None:
            raise RequestError(f"{name} belong to the items of history=[ID,ID,...]. Give both, or leave {name} out.")
    if config.user is None and config.history is None and not arguments["user_features"]:
        raise RequestError(f"{_WHO}; none of them came.")
    if config.user is not None and config.history is not None:
        raise RequestError(f"{_WHO}; both came.")
    for name in _AS_THEY_ARE:
        if name in config and config[name] is not None:
            value = config[name]
            arguments[name] = OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
    return arguments


#: Settings that a request takes as Hydra reads them.
_AS_THEY_ARE = (
    "ratings",
    "timestamps",
    "k",
    "exclude_seen",
    "now",
    "filters",
    "diversity",
    "diversity_weight",
    "diversity_column",
    "explain",
)

_WHO = (
    "Give either user=ID for a user of the data, or history=[ID,ID,...] or user_features={COLUMN: VALUE} for one who "
    "was not in training"
)


def _written(name: str, overrides: Sequence[str], default: str) -> str:
    """What stands after ``name=``, the last time; ``default`` where it is not there."""
    return next((text.partition("=")[2] for text in reversed(overrides) if text.partition("=")[0] == name), default)
