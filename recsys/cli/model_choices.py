"""The choices of the group ``model``, read from their files: no model is imported."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from omegaconf import DictConfig, OmegaConf

from recsys.cli.config_directory import CONFIG_DIRECTORY


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """What a file of ``configs/model`` says.

    Args:
        name: of the choice, such as ``ease``.
        target: dotted path of the model's class.
        settings: what can be set, with its default: a value, a mapping, or a choice of a group.
        groups: those of the settings that are groups, such as ``encoder``.
    """

    name: str
    target: str
    settings: Mapping[str, Any]
    groups: frozenset[str]

    @property
    def class_name(self) -> str:
        """Name of the model's class, such as ``EASE``."""
        return self.target.rpartition(".")[2]

    @property
    def own(self) -> dict[str, Any]:
        """The settings but those that are the run's, such as the seed."""
        return {key: value for key, value in self.settings.items() if not _is_interpolation(value)}


@functools.cache
def model_choices() -> Mapping[str, ModelChoice]:
    """All models by the names of their classes, in the order of their files."""
    found: dict[str, ModelChoice] = {}
    for path in sorted((CONFIG_DIRECTORY / "model").glob("*.yaml")):
        config = OmegaConf.load(path)
        assert isinstance(config, DictConfig), "a file of one constructor"
        content: Any = OmegaConf.to_container(config, resolve=False)
        if "_target_" in content:
            choice = _choice(path.stem, content)
            found.setdefault(choice.class_name, choice)
    return MappingProxyType(found)


def _choice(name: str, content: Mapping[str, Any]) -> ModelChoice:
    groups: dict[str, Any] = {}
    for entry in content.get("defaults", []):
        if isinstance(entry, Mapping):
            groups.update(entry)
    plain = {key: without_targets(value) for key, value in content.items() if key != "defaults" and key[0] != "_"}
    return ModelChoice(name, content["_target_"], MappingProxyType({**groups, **plain}), frozenset(groups))


def without_targets(value: Any) -> Any:
    """What can be set inside a setting: all but ``_target_`` and its like."""
    if not isinstance(value, Mapping):
        return value
    return {key: without_targets(inner) for key, inner in value.items() if not str(key).startswith("_")}


def _is_interpolation(value: object) -> bool:
    return isinstance(value, str) and value.startswith("${")
