"""The settings of a bundle's trainings and of its export, as files of the bundle: what makes the same of newer data."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from recsys.cli.overrides import setting_of
from recsys.errors import ExportError
from recsys.runs.trained_run import TrainedRun
from recsys.runs.training_settings import write_training_settings
from recsys.runtime.bundle import EXPORT_SETTINGS, RANKER_TRAINING_SETTINGS, TRAINING_SETTINGS


def write_settings(run: TrainedRun, ranker: TrainedRun | None, export: Mapping[str, Any], directory: Path) -> None:
    """Write the files.

    Args:
        run: finds the candidates.
        ranker: orders them; None: there is none.
        export: settings of the export.
        directory: of the bundle.
    """
    write_training_settings(run.config, directory / TRAINING_SETTINGS)
    if ranker is not None:
        write_training_settings(ranker.config, directory / RANKER_TRAINING_SETTINGS)
    # Filters may be mappings of any class, and OmegaConf knows plain ones alone.
    OmegaConf.save(OmegaConf.create(json.loads(json.dumps(dict(export)))), directory / EXPORT_SETTINGS)


def with_export_settings_of(
    given: Mapping[str, Any], path: Path, names: Collection[str], overrides: Sequence[str]
) -> dict[str, Any]:
    """The settings of an export, with those of another one where the command line says nothing.

    Args:
        given: as composed from the command line.
        path: ``export.yaml`` of a bundle.
        names: of the settings that may be taken over.
        overrides: the command line.

    Raises:
        ExportError: the file cannot be read.
    """
    try:
        found = OmegaConf.load(path)
    except Exception as error:  # OmegaConf lets the errors of its YAML library through
        raise ExportError(
            f"A file with the settings of an export is required, but {path} cannot be read ({error}). Give that of a "
            "bundle: settings_of=bundles/NAME/export.yaml"
        ) from error
    if not isinstance(found, DictConfig):
        raise ExportError(f"{path} has no settings. Give the export.yaml of a bundle.")
    kept: Any = OmegaConf.to_container(found)
    said = {setting_of(override) for override in overrides}
    return {**given, **{name: kept[name] for name in names if name in kept and name not in said}}
