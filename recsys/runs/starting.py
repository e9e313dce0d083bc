"""Starts a run in a new directory, or goes on with one that was interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from recsys.cli.config_check import check_config
from recsys.errors import RunError
from recsys.runs.run_directory import RunDirectory, earlier_version

#: What may be changed when a run is resumed; anything else has already shaped what was trained.
RESUMABLE = ("trainer", "fitting", "evaluation", "tracking", "show_users")

#: Settings of a run's configuration since format 2: an interrupted run has no ``run.json`` yet that says its format.
KEYS_OF_THIS_VERSION = frozenset({"sources_training"})


def new_run(config: DictConfig) -> RunDirectory:
    """Make a run directory with the resolved configuration in it.

    Raises:
        RunError: no directory can be made.
    """
    run = RunDirectory.create(Path(config.paths.runs_dir), config.name)
    OmegaConf.save(config, run.config_path, resolve=True)
    return run


def resolved(config: DictConfig) -> DictConfig:
    """A copy of ``config`` without interpolations, as a run directory keeps it."""
    copy = OmegaConf.create(OmegaConf.to_container(config, resolve=True))
    assert isinstance(copy, DictConfig)
    return copy


def started(config: DictConfig, overrides: Sequence[str]) -> tuple[DictConfig, RunDirectory | None]:
    """The resolved configuration of a training, and the run that it goes on with; None for a new one.

    Args:
        config: of ``train.yaml``; its ``resume`` says which run.
        overrides: the command line.

    Raises:
        RunError: as for :func:`interrupted_run`.
    """
    if config.resume is None:
        return resolved(config), None
    rest = [override for override in overrides if not override.startswith("resume=")]
    run, kept = interrupted_run(Path(config.resume), rest)
    return kept, run


def interrupted_run(path: Path, overrides: Sequence[str]) -> tuple[RunDirectory, DictConfig]:
    """Open an interrupted run with its own configuration.

    Args:
        path: the run directory.
        overrides: what the command line said besides ``resume``; put on top of the run's configuration.

    Raises:
        RunError: there is no such run, it is finished, damaged or of an earlier version, or an override would change
            what was trained or has a wrong value.
    """
    run = RunDirectory(path)
    if not run.config_path.is_file():
        raise RunError(f"An interrupted run is required to resume, but {run.path} has no {run.config_path.name}.")
    if run.is_finished:
        raise RunError(f"The run {run.path} is finished; there is nothing to resume. Start a new run without resume=.")
    config = run.config()
    if not KEYS_OF_THIS_VERSION <= set(config):
        raise earlier_version(run.path)
    OmegaConf.set_struct(config, True)
    for override in overrides:
        name = override.partition("=")[0]
        if name.partition(".")[0] not in RESUMABLE or OmegaConf.is_dict(OmegaConf.select(config, name)):
            raise RunError(
                f"With resume only values of {', '.join(RESUMABLE)} may be changed, but the command line says "
                f"{override!r}. Leave it out: the run keeps the settings that it was started with."
            )
        try:
            config.merge_with(OmegaConf.from_dotlist([override]))
        except OmegaConfBaseException as error:
            raise RunError(f"The run has no setting {name!r}. Correct or leave out {override!r}.") from error
    OmegaConf.set_struct(config, False)
    check_config("train", config)
    return run, config
