"""Where the configurations are, how they are composed, and how a script is run with one.

A group's choice may depend on another one: the training that suits a model is said by the model's class
(``default_training``), and asked for in ``train.yaml`` as ``${training_of:${model}}``. ``${given_or:${x},y}`` is ``y``
where ``x`` is null.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import hydra
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import get_class
from omegaconf import DictConfig, OmegaConf

from recsys.cli.config_check import check_config
from recsys.cli.config_directory import CONFIG_DIRECTORY as CONFIG_DIRECTORY
from recsys.cli.data_warnings import told_data_warnings
from recsys.cli.help_text import fitted_help
from recsys.cli.hydra_errors import COMPOSITION_ERRORS, explained
from recsys.cli.positional import Positional, as_settings
from recsys.cli.process.user_errors import USER_ERROR_STATUS, is_told, user_errors
from recsys.cli.settings.renamed_keys import TRAINING_COMMANDS, check_renamed
from recsys.cli.source_configs import register_sources
from recsys.cli.trusted_targets import trust
from recsys.errors import RunError

#: The training of a model that says nothing of it: gradient steps on positives and sampled negatives.
DEFAULT_TRAINING = "sampled_negatives"

#: Of a model that is fitted at once, without gradient steps.
NO_TRAINING = "none"

#: Makes Hydra raise its errors instead of printing them and ending the process.
_FULL_ERROR = "HYDRA_FULL_ERROR"


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
OmegaConf.register_new_resolver("given_or", lambda value, default: default if value is None else value, replace=True)


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


def run_command(
    name: str,
    body: Callable[[DictConfig], Any],
    positional: Positional | None = None,
    options: Positional | None = None,
) -> Any:
    """Compose the configuration that the command line asks for, check it, and run ``body`` with it.

    Args:
        name: of the configuration.
        body: of the command.
        positional: makes settings of the arguments that stand alone; None: there can be none.
        options: makes settings of options such as ``--items FILE``; None: there are none but Hydra's.

    Raises:
        SystemExit: after an error that the user can mend, which has been told.
    """

    @functools.wraps(body)
    def checked(config: DictConfig) -> Any:
        # The other runs of a sweep go on after one that fails.
        with user_errors(reraise=HydraConfig.get().mode == RunMode.MULTIRUN):
            check_config(name, config)
            trust(config.get("trusted_modules") or ())
            with told_data_warnings(config.get("strict", False)):
                return body(config)

    run = hydra.main(version_base="1.3", config_path=str(CONFIG_DIRECTORY), config_name=name)(checked)
    with user_errors():
        if options is not None:
            sys.argv[1:] = options(sys.argv[1:])
        check_renamed(name, sys.argv[1:])
        if name in TRAINING_COMMANDS:
            _register_sources()
        if positional is not None:
            sys.argv[1:] = as_settings(sys.argv[1:], positional)
        with _composition_errors(), fitted_help(sys.argv[1:]):
            return _run(run)


def _run(run: Callable[[], Any]) -> Any:
    """Run what Hydra made of a script, and get its errors instead of a report of them.

    Raises:
        SystemExit: a run of a sweep failed, which has been told.
    """
    before = os.environ.get(_FULL_ERROR)
    os.environ[_FULL_ERROR] = "1"
    try:
        return run()
    except Exception as error:
        if is_told(error):
            raise SystemExit(USER_ERROR_STATUS) from None
        raise
    finally:
        if before is None:
            del os.environ[_FULL_ERROR]
        else:
            os.environ[_FULL_ERROR] = before


@contextmanager
def _composition_errors() -> Iterator[None]:
    """Turn what Hydra says of a command line into an error of ours.

    Raises:
        RunError: the configuration cannot be composed.
    """
    try:
        yield
    except COMPOSITION_ERRORS as error:
        raise RunError(explained(error, sys.argv[1:], CONFIG_DIRECTORY)) from error
