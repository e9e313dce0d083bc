"""The rows of a benchmark: models with their tuned settings, as commands of the training script."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from recsys.cli.commands import command_line
from recsys.errors import RunError


@dataclass(frozen=True, slots=True)
class TunedModel:
    """One row of a benchmark.

    Args:
        name: name of the row.
        model: its choice in the group ``model``.
        overrides: arguments of ``scripts/train.py``.
    """

    name: str
    model: str
    overrides: tuple[str, ...]

    @property
    def command(self) -> str:
        """The command that trains it."""
        return f"{command_line('train')} {shlex.join(self.overrides)}"


def tuned_models(
    tuned: DictConfig | None, data: str, models: Sequence[str] | None, config_directory: Path
) -> list[TunedModel]:
    """The rows that ``configs/tuned/<data>.yaml`` lists.

    Every model is fitted to training and validation together, since its settings are already chosen, unless its
    overrides set ``refit``.

    Args:
        tuned: the overrides of each row by its name.
        data: choice in the group ``data``.
        models: names of the wanted rows, in this order; None for all.
        config_directory: directory with the group ``model``.

    Raises:
        RunError: there are no rows, a row is not a list of overrides, a wanted row does not exist, or the model of a
            row has no configuration.
    """
    rows: Any = OmegaConf.to_container(tuned, resolve=True) if tuned is not None else {}
    if not rows:
        raise RunError(
            f"A benchmark needs tuned settings, but there are none for data={data}. Write configs/tuned/{data}.yaml: "
            f"the name of each model and a list of overrides, which {command_line('tune')} finds."
        )
    unknown = [name for name in models or () if name not in rows]
    if unknown:
        raise RunError(
            f"models must be among those of configs/tuned/{data}.yaml ({', '.join(rows)}), but it has "
            f"{', '.join(unknown)}. Correct the name, or add its settings there."
        )
    found = []
    for name in models or rows:
        overrides = rows[name] if rows[name] is not None else []
        if not isinstance(overrides, list) or not all(isinstance(text, str) and "=" in text for text in overrides):
            raise RunError(
                f"tuned.{name} must be a list of overrides such as [model.l2=500], but it is {overrides}. Correct it."
            )
        model = next((text.removeprefix("model=") for text in overrides if text.startswith("model=")), name)
        if not (config_directory / "model" / f"{model}.yaml").is_file():
            choices = ", ".join(sorted(path.stem for path in (config_directory / "model").glob("*.yaml")))
            raise RunError(
                f"tuned.{name} is of the model {model}, which has no configuration; there are {choices}. Correct the "
                f"name, add configs/model/{model}.yaml, or leave the row out: '~tuned.{name}'."
            )
        rest = [text for text in overrides if not text.startswith("model=")]
        refit = [] if any(text.startswith("refit=") for text in rest) else ["refit=true"]
        called = [] if name == model else [f"name={name}_{data}"]
        found.append(TunedModel(name, model, (f"data={data}", f"model={model}", *rest, *refit, *called)))
    return found
