"""Starts a run in a new directory, or goes on with one that was interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from recsys.cli.config_check import check_config
from recsys.cli.overrides import setting_of
from recsys.errors import RunError
from recsys.runs.run_directory import RunDirectory, earlier_version
from recsys.runs.run_manifest import FORMAT_VERSION
from recsys.runs.training_settings import with_settings_of

#: What may be changed when a run is resumed; anything else has already shaped what was trained.
RESUMABLE = ("trainer", "fitting", "evaluation", "tracking", "show_users", "trusted_modules")

#: Settings of a run's configuration since format 2: an interrupted run has no ``run.json`` yet that says its format.
KEYS_OF_THIS_VERSION = frozenset({"sources_training"})


def new_run(config: DictConfig) -> RunDirectory:
    """Make a run directory with the resolved configuration in it.

    Raises:
        RunError: no directory can be made.
        OSError: the configuration could not be written, and the directory is gone again.
    """
    run = RunDirectory.create(Path(config.paths.runs_dir), config.name)
    try:
        run.save_config(config)
    except BaseException:
        run.path.rmdir()
        raise
    return run


def resolved(config: DictConfig) -> DictConfig:
    """A copy of ``config`` without interpolations, as a run directory keeps it."""
    copy = OmegaConf.create(OmegaConf.to_container(config, resolve=True))
    assert isinstance(copy, DictConfig)
    copy.sweep = None  # a run does not depend on who asked for it
    return copy


#: What may be changed when settings are taken over from a run: which rows, where, and what has no part in the model.
CHANGEABLE = (
    *("data", "preparation", "split", "paths", "refit", "refit_epochs", "chosen_by", "name"),
    *("trainer", "evaluation", "tracking", "show_users", "trusted_modules"),
)


def started(
    config: DictConfig, overrides: Sequence[str], earlier: RunDirectory | None = None
) -> tuple[DictConfig, RunDirectory | None]:
    """The resolved configuration of a training, and the run that it goes on with; None for a new one.

    Args:
        config: of ``train.yaml``; its ``resume`` says which run.
        overrides: the command line.
        earlier: what an interrupted sweep has left of this run.

    Raises:
        RunError: as for :func:`interrupted_run`, :func:`taken_over` and
            :func:`recsys.runs.training_settings.with_settings_of`.
    """
    if earlier is not None:
        run, kept = interrupted_run(earlier.path, [])
        return kept, run
    if config.resume is None:
        if config.chosen_by is not None:
            return taken_over(config, overrides), None
        whole = resolved(config)
        return (whole if config.settings_of is None else with_settings_of(whole, overrides)), None
    rest = [override for override in overrides if not override.startswith("resume=")]
    run, kept = interrupted_run(Path(config.resume), rest)
    return kept, run


def taken_over(config: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """The settings of the run that ``chosen_by`` names, with what the command line says of rows and places.

    A choice, such as ``data=table``, takes the place of the whole group.

    Args:
        config: as composed from the command line.
        overrides: the command line.

    Raises:
        RunError: there is no such run, it is of an earlier version, or an override would change the model.
    """
    run = RunDirectory.open(config.chosen_by)
    if run.manifest().format_version != FORMAT_VERSION:
        raise earlier_version(run.path)
    composed, kept = resolved(config), run.config()
    for override in overrides:
        key, name = override.lstrip("+~").partition("=")[0], setting_of(override)
        if name not in CHANGEABLE:
            raise RunError(
                f"chosen_by takes the model and its training from {run.path}; beside it only {', '.join(CHANGEABLE)} "
                f"may be given, but the command line says {override!r}. Leave it out, or leave chosen_by out."
            )
        value = OmegaConf.select(composed, key if "." in key else name)
        OmegaConf.update(kept, key if "." in key else name, value, merge=False, force_add=True)
    kept.resume, kept.settings_of, kept.chosen_by = None, None, str(run.path)
    for name in ("refit", "refit_epochs"):  # never those of the run
        kept[name] = composed[name]
    check_config("train", kept)
    return kept


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
    run.require_no_update()
    config = run.config()
    if not KEYS_OF_THIS_VERSION <= set(config):
        raise earlier_version(run.path)
    config.setdefault("trusted_modules", [])
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
