"""Composes the configuration of a command from Python values instead of a command line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from recsys.cli.config_check import check_config
from recsys.cli.config_directory import CONFIG_DIRECTORY
from recsys.cli.configuration import compose_config
from recsys.cli.hydra_errors import COMPOSITION_ERRORS, explained
from recsys.cli.overrides import quoted_text
from recsys.errors import SettingsError


def composed(command: str, choices: Mapping[str, Any], values: Mapping[str, Any]) -> DictConfig:
    """The configuration of a command, checked and without interpolations.

    Args:
        command: name of a file in ``configs``, such as ``train``.
        choices: groups with the names of their files, and what others are interpolated from, such as ``seed``.
        values: settings by their keys, such as ``{"model.l2": 300}``; a key that names a group is a choice.

    Raises:
        RecsysError: there is no such choice or setting, or a value is not one that it can have.
    """
    grouped = {key: value for key, value in values.items() if is_group(key)}
    overrides = [f"{key}={_typed(value)}" for key, value in {**choices, **grouped}.items()]
    with _own_hydra():
        try:
            config = compose_config(command, overrides)
        except COMPOSITION_ERRORS as error:
            raise SettingsError(explained(error, overrides, CONFIG_DIRECTORY)) from error
    for key, value in values.items():
        if key not in grouped:
            set_value(config, key, value)
    OmegaConf.resolve(config)
    check_config(command, config)
    return config


def is_group(key: str) -> bool:
    """Whether a key names a group of configurations, such as ``training`` or ``training/loss``."""
    return (CONFIG_DIRECTORY / key).is_dir()


def choices_of(group: str) -> list[str]:
    """Names of the files of a group, sorted."""
    return sorted(path.stem for path in (CONFIG_DIRECTORY / group).glob("*.yaml"))


def require_choice(group: str, name: str) -> None:
    """Refuse what is no file of a group.

    Raises:
        SettingsError: there is no such file; the message has those that there are.
    """
    known = choices_of(group)
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise SettingsError(f"{group} must be one of {', '.join(known)}, but it is {name!r}.{hint}")


def plain(value: Any) -> Any:
    """A value as YAML has it: numbers of NumPy, tuples and paths are made plain."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(inner) for inner in value]
    return value


def set_value(config: DictConfig, key: str, value: Any) -> None:
    """Set one value whose key is there.

    Raises:
        SettingsError: there is no such setting.
    """
    try:
        OmegaConf.update(config, key, plain(value), merge=True)
    except OmegaConfBaseException as error:
        above, _, name = key.rpartition(".")
        there = OmegaConf.select(config, above) if above else config
        names = [str(found) for found in there if not str(found).startswith("_")] if OmegaConf.is_dict(there) else []
        near = difflib.get_close_matches(name, names, n=3) or sorted(names)
        offered = f"; it has {', '.join(near)}" if near else ""
        raise SettingsError(
            f"{above or 'The configuration'} has no setting {name!r}{offered}. Correct {key}."
        ) from error


def _typed(value: Any) -> str:
    """A value as it is typed on a command line."""
    value = plain(value)
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{','.join(_typed(inner) for inner in value)}]"
    if isinstance(value, str):
        return value if value.replace("_", "").isalnum() else quoted_text(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


@contextmanager
def _own_hydra() -> Iterator[None]:
    """Compose from the configurations of the framework, also inside a program that uses Hydra itself."""
    theirs, GlobalHydra.instance().hydra = GlobalHydra.instance().hydra, None
    try:
        yield
    finally:
        GlobalHydra.instance().hydra = theirs  # another instance by now
