"""Writes a fitted model as a run directory or as a bundle, as the commands do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from recsys.api.fitting import Fitted
from recsys.api.report import Report
from recsys.cli.output_directory import make_output_directory
from recsys.cli.process.extras import missing_library
from recsys.errors import ExportError, RunError, SettingsError
from recsys.evaluation.model_report import model_name
from recsys.runs.run_directory import RunDirectory
from recsys.runs.trained_run import TrainedRun


class UnsavedRun(RunDirectory):
    """Stands for the directory of a run that was not saved: it has a name, and no files."""

    def metrics(self) -> dict[str, float]:
        """None: they are kept in directories."""
        return {}


def save_run(fitted: Fitted, path: Path, report: Report | None = None) -> Path:
    """Write a run directory: whole, or not at all.

    Prepared data that would go with the process are kept in it.

    Args:
        fitted: the model.
        path: the directory.
        report: the numbers to keep with it.

    Raises:
        RunError: it is there, or cannot be made.
    """
    if path.exists():
        raise RunError(f"A run is saved to a new directory, but {path} is there. Choose another, or remove it.")
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    make_output_directory(partial, "run", "path")
    try:
        _write(fitted, RunDirectory(partial), path, report)
        os.replace(partial, path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return path


def _write(fitted: Fitted, run: RunDirectory, path: Path, report: Report | None) -> None:
    data, name = fitted.split.data, model_name(fitted.network)
    run.save_config(fitted.config)
    run.save_model(fitted.network)
    run.save_history(fitted.report.epochs, f"{name} on {fitted.prepared.schema.name}")
    manifest = fitted.manifest(measured=report is not None)
    if data.is_temporary:
        shutil.copytree(fitted.prepared.directory, run.data)
        manifest = replace(manifest, data_directory=str(RunDirectory(path).data.absolute()))
    if report is not None:
        run.save_per_user(report.evaluation.per_user(report.name, fitted.prepared.user_vocabulary))
    run.finish({} if report is None else report.metrics, manifest)


def export_bundle(fitted: Fitted, path: Path, settings: Mapping[str, Any]) -> Path:
    """Write a bundle.

    Args:
        fitted: the model.
        path: the bundle's directory, which is not there yet.
        settings: of the bundle.

    Raises:
        ExportError: a library is missing, or the model cannot be served.
        SettingsError: there is no such setting.
    """
    try:
        from recsys.export.bundle_writing import BundleSettings, write_bundle
    except ModuleNotFoundError as error:
        raise ExportError(missing_library(error) or str(error)) from error
    names = [field.name for field in fields(BundleSettings)]
    unknown = [name for name in settings if name not in names]
    if unknown:
        raise SettingsError(f"A bundle has no setting {unknown[0]!r}; it has {', '.join(names)}. Correct it.")
    title = Path(f"{fitted.config.name}_{fitted.prepared.schema.name}")
    manifest = fitted.manifest(measured=False)
    run = TrainedRun(UnsavedRun(title), fitted.config, manifest, fitted.prepared, fitted.network)
    write_bundle(run, None, path, BundleSettings(**settings), lambda line: None)
    return path
