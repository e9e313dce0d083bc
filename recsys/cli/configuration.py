"""Where the configurations are, how they are composed, and how a script is run with one.

A group's choice may depend on another one: the training that suits a model is said by the model's class
(``default_training``), and asked for in ``train.yaml`` as ``${training_of:${model}}``.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import hydra
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.utils import get_class
from omegaconf import DictConfig, OmegaConf

import recsys
from recsys.cli.console import user_errors
from recsys.cli.renamed_keys import TRAINING_COMMANDS, check_renamed
from recsys.cli.source_configs import register_sources

#: The training of a model that says nothing of it: gradient steps on positives and sampled negatives.
DEFAULT_TRAINING = "sampled_negatives"

#: Of a model that is fitted at once, without gradient steps.
NO_TRAINING = "none"


def _config_directory() -> Path:
    """Inside the package where it was installed from a wheel, beside it in a checkout."""
    package = Path(recsys.__file__).parent
    inside = package / "configs"
    return inside if inside.is_dir() else package.parent / "configs"


CONFIG_DIRECTORY = _config_directory()


def training_of(model: str) -> str:
    """The choice of the group ``training`` that suits a choice of the group ``model``.

    Args:
        model: name of a file in ``configs/model/``. Of one that does not exist nothing is said; composing fails later.
    """
    path = CONFIG_DIRECTORY / "model" / f"{model}.yaml"
    settings = OmegaConf.load(path) if path.is_file() else OmegaConf.create({})
    target = OmegaConf.select(settings, "_target_")
    if target is None:
        return DEFAULT_TRAINING
    class_ = get_class(target)
    return str(getattr(class_, "default_training", NO_TRAINING if hasattr(class_, "fit") else DEFAULT_TRAINING))


OmegaConf.register_new_resolver("training_of", training_of, replace=True)


@functools.cache
def _register_sources() -> None:
    """Once a process, as it imports every model."""
    register_sources(CONFIG_DIRECTORY, training_of, NO_TRAINING)


def compose_config(name: str, overrides: Sequence[str] = (), **options: Any) -> DictConfig:
    """The configuration of a command, as Hydra composes it.

    Args:
        name: of a file in ``configs/``, such as ``train``.
        overrides: as on a command line, such as ``["model=ease", "model.l2=300"]``.
        options: further ones of :func:`hydra.compose`.
    """
    if name in TRAINING_COMMANDS:
        _register_sources()
    there = GlobalHydra.instance().is_initialized()
    with nullcontext() if there else initialize_config_dir(str(CONFIG_DIRECTORY), version_base="1.3"):
        return compose(name, overrides=list(overrides), **options)


def config_command(name: str) -> Callable[[Callable[[DictConfig], Any]], Callable[[], Any]]:
    """Make a function of a configuration the body of a script that reads ``configs/<name>.yaml``.

    Keys of earlier versions on the command line are answered with today's.
    """

    def decorate(body: Callable[[DictConfig], Any]) -> Callable[[], Any]:
        run = hydra.main(version_base="1.3", config_path=str(CONFIG_DIRECTORY), config_name=name)(body)

        @functools.wraps(body)
        def main() -> Any:
            with user_errors():
                check_renamed(name, sys.argv[1:])
                if name in TRAINING_COMMANDS:
                    _register_sources()
            return run()

        return main

    return decorate
