"""The search space: the searched settings and the values that each may take."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from recsys.data.interactions import Interactions
from recsys.errors import RunError

if TYPE_CHECKING:  # an extra, which a training without a search does not need
    from optuna.trial import BaseTrial

#: Settings that all trials must share, since their data are prepared once.
_SHARED = (
    *("data", "preparation", "split", "view", "refit", "refit_epochs", "chosen_by", "settings_of"),
    *("evaluation", "paths", "baseline", "resume", "sweep"),
)

#: Significant digits of a drawn number: more would suggest a precision that no validation set has.
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from ``low`` to ``high``, both included.

    Args:
        low: lower end.
        high: upper end.
        log: whether to draw uniformly on a logarithmic scale.
        int: whether to draw integers only.
        default: what the first trial has where the setting is null, so that the model chooses it.
        needs: ``rating`` or ``timestamp``, where the setting has no meaning for data without that column.
    """

    low: float
    high: float
    log: bool = False
    int: bool = False
    default: float | None = None
    needs: str | None = None

    def draw(self, name: str, trial: BaseTrial) -> str:
        """A number as written on the command line."""
        if self.int:
            return str(trial.suggest_int(name, round(self.low), round(self.high), log=self.log))
        return str(float(f"{trial.suggest_float(name, self.low, self.high, log=self.log):.{_DIGITS}g}"))

    def start(self, value: Any) -> Any:
        """``value`` if it can be drawn, ``default`` if it is null, else None."""
        value = self.default if value is None else value
        number = isinstance(value, float | int) and not isinstance(value, bool)
        return value if number and self.low <= value <= self.high else None


@dataclass(frozen=True, slots=True)
class Choices:
    """One of several values of any kind.

    Args:
        texts: the values as written on the command line.
        default: what the first trial has where the configuration does not tell.
        needs: ``rating`` or ``timestamp``, where the setting has no meaning for data without that column.
    """

    texts: tuple[str, ...]
    default: str | None = None
    needs: str | None = None

    def draw(self, name: str, trial: BaseTrial) -> str:
        """A value as written on the command line."""
        return str(trial.suggest_categorical(name, list(self.texts)))

    def start(self, value: Any) -> Any:
        """``value`` if it can be drawn, ``default`` if it is null, else None."""
        if _text(value) in self.texts:
            return _text(value)
        return self.default if value is None else None


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """The searched settings.

    Args:
        parameters: the possible values of each setting by its command-line key, such as ``model.l2``.

    Example:
        >>> from omegaconf import OmegaConf
        >>> space = SearchSpace.of(OmegaConf.create({"model": {"l2": {"low": 10, "high": 5000, "log": True}}}), "EASE")
        >>> space.parameters["model.l2"]
        Range(low=10, high=5000, log=True, int=False, default=None, needs=None)
    """

    parameters: dict[str, Range | Choices]

    @classmethod
    def of(cls, config: DictConfig | None, model: str) -> SearchSpace:
        """The search space that ``configs/search/<model>.yaml`` describes.

        Nested keys lead to a mapping of ``low``, ``high`` and optionally ``log: true``, ``int: true``, ``default`` and
        ``needs``, or to ``choices`` and optionally ``default`` and ``needs``.

        Raises:
            RunError: there is nothing to search; an entry is neither a range nor choices, or has no values; or it is a
                setting that all trials must share.
        """
        content = OmegaConf.to_container(config, resolve=True) if config is not None else {}
        assert isinstance(content, dict)
        parameters = dict(_leaves(content, ""))
        if not parameters:
            raise RunError(
                f"A search needs settings to search, but there are none for {model}. "
                f"Write configs/search/{model}.yaml, or give them: '+search={{model: {{l2: {{low: 1, high: 9}}}}}}'."
            )
        for name in parameters:
            if name.replace("/", ".").partition(".")[0] in _SHARED:
                raise RunError(
                    f"All trials share their data, split and evaluation, but {name} is searched. Leave it out: numbers "
                    "of different data cannot be compared."
                )
        return cls(parameters)

    def for_data(self, interactions: Interactions, model: str) -> SearchSpace:
        """The settings that have a meaning for these interactions.

        Raises:
            RunError: none has.
        """
        space = self.meaningful(interactions)
        if not space.parameters:
            needed = ", ".join(f"{name} needs a {parameter.needs}" for name, parameter in self.parameters.items())
            raise RunError(
                f"A search needs settings to search, but none of {model} has a meaning for these data: {needed}. "
                "Name the column, or search other settings."
            )
        return space

    def meaningful(self, interactions: Interactions) -> SearchSpace:
        """The settings that have a meaning for these interactions; there may be none."""
        return SearchSpace(
            {
                name: parameter
                for name, parameter in self.parameters.items()
                if parameter.needs is None or getattr(interactions, parameter.needs) is not None
            }
        )

    def draw(self, trial: BaseTrial, names: Collection[str] | None = None) -> dict[str, str]:
        """A value of each setting, as written on the command line.

        Args:
            trial: draws.
            names: the settings that are drawn; None: all.
        """
        drawn = self.parameters if names is None else names
        return {name: parameter.draw(name, trial) for name, parameter in self.parameters.items() if name in drawn}

    def start(self, config: DictConfig, choices: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The current values of those settings whose values the search could draw.

        Args:
            config: has the values of settings.
            choices: the choices of groups, such as ``model/encoder``; None: nothing is known of them.
        """
        found = {}
        for name, parameter in self.parameters.items():
            value = (choices or {}).get(name) if "/" in name else OmegaConf.select(config, name)
            value = OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
            first = parameter.start(value)
            if first is not None:
                found[name] = first
        return found


def _leaves(content: Mapping[Any, Any], prefix: str) -> list[tuple[str, Range | Choices]]:
    leaves: list[tuple[str, Range | Choices]] = []
    for key, value in content.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        if not isinstance(value, Mapping):
            raise RunError(
                f"search.{name} must be a range {{low: 1, high: 10, log: true, int: true}} or {{choices: [a, b]}}, but "
                f"it is {value}. Correct it."
            )
        leaves += [(name, _parameter(name, value))] if {"low", "high", "choices"} & set(value) else _leaves(value, name)
    return leaves


def _parameter(name: str, value: Mapping[Any, Any]) -> Range | Choices:
    choices, needs = value.get("choices"), value.get("needs")
    if needs not in (None, "rating", "timestamp"):
        raise RunError(f"search.{name}.needs must be rating or timestamp, but it is {needs}. Correct it.")
    if {"choices"} <= set(value) <= {"choices", "default", "needs"} and isinstance(choices, list) and choices:
        return Choices(tuple(map(_text, choices)), _text(value["default"]) if "default" in value else None, needs)
    numbers = all(isinstance(value.get(end), float | int) for end in ("low", "high"))
    if numbers and set(value) <= {"low", "high", "log", "int", "default", "needs"} and value["low"] <= value["high"]:
        if value.get("log") and value["low"] <= 0:
            raise RunError(f"search.{name}: a logarithmic range starts above 0, but low is {value['low']}. Correct it.")
        return Range(**value)
    raise RunError(
        f"search.{name} must be a range {{low: 1, high: 10, log: true, int: true}} with low <= high, or "
        f"{{choices: [a, b]}} with at least one, but it is {dict(value)}. Correct it."
    )


def _text(value: Any) -> str:
    """A value as written on the command line, in Hydra's grammar."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_text(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    return value if isinstance(value, str) else json.dumps(value)
