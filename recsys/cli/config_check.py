"""Checks a whole resolved configuration before anything is made of it.

The typed constructors are the schema of what has a ``_target_``; :mod:`recsys.cli.plain_settings` is that of the
settings of a command; :mod:`recsys.cli.settings.setting_ranges` has the ranges of numbers. What only a constructor can
tell, such as numbers that do not go together, it is then asked.
"""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Union, get_type_hints

from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf

from recsys.cli.config_directory import CONFIG_DIRECTORY
from recsys.cli.plain_settings import PLAIN_SETTINGS
from recsys.cli.settings.setting_ranges import range_of
from recsys.cli.settings.setting_types import described, fits
from recsys.errors import RecsysError, RunError

#: Parts of a configuration whose constructors are quick and need nothing else.
CONSTRUCTED = ("data", "preparation", "split", "evaluation", "tracking", "stacking_folds", "candidate_selector")

#: The part whose constructor is Lightning's, which takes longer to import than all else. Every model has it, also those
#: that need nothing of Lightning, and where it is as its file has it there is nothing to check.
_OF_LIGHTNING = "trainer"

#: Longest name of a run in bytes: file systems allow 255, and a time goes before it.
_MAX_NAME = 200

#: What the command changes before it constructs it.
_CHANGED = {"cross_validate": ("split",), "cold_start": ("split",)}


def check_config(command: str, config: DictConfig) -> None:
    """Require that every setting has its type and lies in its range, and that cheap constructors take theirs.

    Args:
        command: name of the configuration, such as ``train``.
        config: as the command got it; interpolations are resolved in a copy.

    Raises:
        RunError: a setting is missing, has another type, is out of range or does not exist. The message has its key
            as it is typed on the command line.
        RecsysError: a constructor refuses its settings.
    """
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise RunError(f"{missing[0]} is required, but it was not given. Add {missing[0]}=...")
    content: Any = OmegaConf.to_container(config, resolve=True)
    declared = PLAIN_SETTINGS.get(command, {})
    for group in sorted({key.partition(".")[0] for key in declared if "." in key}):
        _check_group(group, content.get(group), declared)
    for key, value, hint in _settings(content, declared):
        _check_type(key, value, hint)
        _check_range(key, value)
    if "name" in declared:
        _check_name(str(content["name"]))
    for name in CONSTRUCTED:
        if name in content and name not in _CHANGED.get(command, ()):
            _construct(name, config[name])


def _check_group(group: str, value: Any, declared: Mapping[str, object]) -> None:
    """Require that a group of settings is one."""
    if not isinstance(value, dict):
        names = sorted(key for key in declared if key.startswith(f"{group}."))
        found = "null" if value is None else value
        raise RunError(f"{group} must be the settings {', '.join(names)}, but it is {found}. Set one of them.")


def _settings(content: Mapping[str, Any], declared: Mapping[str, object]) -> Iterator[tuple[str, Any, object]]:
    """Each setting of a configuration with its key and its type."""
    for name, value in sorted(content.items(), key=_turn):
        if isinstance(value, dict) and name in ("pretraining", "sources_training"):
            yield name, value, declared.get(name, Any)
            for part, changes in value.items():
                yield from _changes(f"{name}.{part}", changes, content)
        else:
            yield from _setting(str(name), value, declared.get(str(name), Any), declared)


def _turn(part: tuple[str, Any]) -> tuple[bool, bool]:
    """When a part of a configuration is checked.

    What others are interpolated from comes first, so that the message has the key that was typed.
    """
    name, value = part
    return isinstance(value, dict), name != _OF_LIGHTNING


def _setting(key: str, value: Any, hint: object, declared: Mapping[str, object]) -> Iterator[tuple[str, Any, object]]:
    hint = declared.get(key, hint)
    yield key, value, hint
    if isinstance(value, dict):
        others = {name: content for name, content in value.items() if f"{key}.{name}" not in declared}
        hints = {} if _is_as_shipped(key, value, declared) else _hints(key, others, value.get("_target_"))
        for name, content in value.items():
            if not str(name).startswith("_"):
                yield from _setting(f"{key}.{name}", content, hints.get(name, Any), declared)
    elif isinstance(value, list):
        for place, element in enumerate(value):
            if isinstance(element, dict):
                yield from _setting(f"{key}.{place}", element, Any, declared)


def _changes(key: str, changes: Any, run: Mapping[str, Any]) -> Iterator[tuple[str, Any, object]]:
    """The settings of a part that is trained apart, whose constructors are those of the run where it names none."""
    if not isinstance(changes, dict):
        return
    for name, change in changes.items():
        if name in ("training", "trainer", "fitting") and isinstance(change, dict):
            yield from _setting(f"{key}.{name}", _with_targets(change, run.get(name, {})), Any, {})


def _with_targets(change: Mapping[str, Any], like: Any) -> dict[str, Any]:
    """``change`` with the ``_target_`` that the same part of the run has, where it has none."""
    if not isinstance(like, dict):
        return dict(change)
    own = {"_target_": like["_target_"]} if "_target_" in like and "_target_" not in change else {}
    if "_target_" in change and change["_target_"] != like.get("_target_"):
        return dict(change)
    return own | {
        name: _with_targets(value, like.get(name)) if isinstance(value, dict) else value
        for name, value in change.items()
    }


def _is_as_shipped(key: str, node: Mapping[str, Any], declared: Mapping[str, object]) -> bool:
    """Whether :data:`_OF_LIGHTNING` differs from its file in nothing, or in what has a declared type."""
    if key != _OF_LIGHTNING:
        return False
    shipped = _shipped(key)
    return node.keys() == shipped.keys() and all(
        f"{key}.{name}" in declared or (value == shipped[name] and type(value) is type(shipped[name]))
        for name, value in node.items()
    )


@functools.cache
def _shipped(group: str) -> dict[str, Any]:
    content: Any = OmegaConf.to_container(OmegaConf.load(CONFIG_DIRECTORY / group / "default.yaml"))
    return content


def _hints(key: str, node: Mapping[str, Any], target: str | None) -> dict[str, object]:
    """The types of the arguments of a constructor by name; none where ``node`` has no constructor.

    Raises:
        RunError: the constructor does not exist, or the node has what it does not take.
    """
    if target is None:
        return {}
    try:
        constructor = get_object(target)
    except Exception as error:
        raise RunError(f"{key}._target_ must name a class or a function, but {target} is not there.") from error
    hints, open_ended = _arguments(constructor)
    unknown = [str(name) for name in node if not str(name).startswith("_") and name not in hints]
    if unknown and not open_ended:
        near = difflib.get_close_matches(unknown[0], hints, n=3) or sorted(hints)
        raise RunError(f"{key} has no setting {unknown[0]!r}, but {', '.join(near)}. Correct {key}.{unknown[0]}.")
    # What the class chooses by the size of the data where it is not said.
    sized = getattr(constructor, "sized_settings", ())
    return {name: Union[hint, Literal["auto"]] if name in sized else hint for name, hint in hints.items()}  # noqa: UP007


def _arguments(constructor: Any) -> tuple[dict[str, object], bool]:
    """Names and types of the arguments, those that a class passes on to its bases included.

    Returns:
        The arguments, and whether there may be others.
    """
    bases: tuple[Any, ...] = constructor.__mro__ if inspect.isclass(constructor) else ()
    functions = [base.__init__ for base in bases] or [constructor]
    found: dict[str, object] = {}
    for function in functions:
        try:
            parameters = inspect.signature(function).parameters.values()
            hints = get_type_hints(function)
        except (TypeError, ValueError, NameError):
            return found, True
        for parameter in parameters:
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY) and parameter.name != "self":
                found.setdefault(parameter.name, hints.get(parameter.name, Any))
        if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters):
            return found, False
    return found, True


def _check_type(key: str, value: Any, hint: object) -> None:
    if not fits(value, hint):
        range_ = range_of(key)
        within = "" if range_ is None else f", {range_}"
        raise RunError(
            f"{key} must be {described(hint)}{within}, but it is {_yaml(value)}. Correct {key}={_yaml(value)}."
        )


def _check_range(key: str, value: Any) -> None:
    """Check a number, or each number of a list."""
    range_ = range_of(key)
    numbers = value if isinstance(value, list) else [value]
    wrong = [
        number
        for number in numbers
        if range_ is not None
        and isinstance(number, int | float)
        and not isinstance(number, bool)
        and number not in range_
    ]
    if wrong:
        whose = f"Each number of {key}" if isinstance(value, list) else key
        raise RunError(f"{whose} must be {range_}, but it is {_yaml(value)}. Correct {key}={_yaml(value)}.")


def _check_name(name: str) -> None:
    """Require the name of a directory: it is the last part of the path of a run.

    Raises:
        RunError: it would leave the directory that it is meant for, or cannot be a name there.
    """
    too_long = len(name.encode()) > _MAX_NAME
    if name.strip() in ("", ".", "..") or too_long or any(sign in name for sign in "/\\\0\n"):
        raise RunError(
            f"name must be the name of a directory, without / and \\ and of at most {_MAX_NAME} bytes, but it is "
            f"{name[:80]!r}. Say where runs go by paths.runs_dir=DIR."
        )


def _yaml(value: Any) -> str:
    """A value as it is typed."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _construct(key: str, node: Any) -> None:
    """Ask the constructor of a node.

    Raises:
        RunError: it refuses its settings with an error that is not ours.
    """
    try:
        instantiate(node)
    except Exception as error:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        if isinstance(cause, RecsysError):
            raise cause from error
        raise RunError(f"{key} refuses its settings ({cause}). Correct {key}.*.") from error
