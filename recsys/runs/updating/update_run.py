"""Updates a run: appends newer interactions to its data, fits from its model, measures, and keeps what came of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn

from recsys.cli.output_directory import require_place_for
from recsys.cli.progress import progress
from recsys.data.appending.append import append
from recsys.data.feedback_view import FeedbackView
from recsys.data.prepared import PreparedDataset
from recsys.data.readers.prepared import PreparedReader
from recsys.data.split import Split
from recsys.errors import RunError
from recsys.evaluation.model_report import EvaluationReport, model_name
from recsys.runs.assembly import build_known_items, build_model, build_view
from recsys.runs.device import accelerator, training_device
from recsys.runs.measuring import measure
from recsys.runs.model_fitting import ModelFitter
from recsys.runs.run_directory import CHECKPOINTS, RunDirectory
from recsys.runs.run_lock import locked_run
from recsys.runs.run_manifest import BEFORE_REFIT, CARRIED_PREFIX, NOTHING, THIS_MODEL, RunManifest
from recsys.runs.starting import new_run
from recsys.runs.trained_run import TrainedRun, open_run, read_run
from recsys.runs.updating.drift import check_drift_settings, compare_with_refit
from recsys.runs.updating.lineage import update_made_before
from recsys.runs.updating.new_data import NewData
from recsys.runs.updating.one_at_a_time import one_update_at_a_time
from recsys.runs.updating.update_errors import in_words_of_update, warnings_in_words_of_update
from recsys.runs.updating.update_record import DriftCheck, UpdateRecord
from recsys.runs.updating.update_settings import UpdateSettings
from recsys.runs.updating.update_split import (
    holds_no_validation,
    may_move,
    require_steady_split,
    split_of_update,
)
from recsys.runs.updating.warm_start import fit_from
from recsys.training.reports.fit_report import FitReport

#: Where a refit beside an update keeps its checkpoints.
REFIT = "refit"


@dataclass(frozen=True, slots=True)
class Updated:
    """What an update gave.

    Args:
        path: the new run, or the one that had made the same update before.
        record: of the update; None where it had been made before.
        evaluation: on the test rows; None where nothing is held out, or it had been made before.
    """

    path: Path
    record: UpdateRecord | None
    evaluation: EvaluationReport | None


@dataclass(frozen=True, slots=True)
class _Generation:
    """What a new run is fitted to: its configuration, its data, their view and their split."""

    config: DictConfig
    prepared: PreparedDataset
    view: FeedbackView
    split: Split


@dataclass(frozen=True, slots=True)
class _Fitted:
    """The model that is kept.

    Args:
        model: with its weights.
        report: of the fit that gave them.
        how: what was done, in words.
        statistics: what the next update is given again.
        since_refit: updates since the last fit on all interactions; 0: this is one.
        fit_epochs: epochs of that fit whose weights were kept; 0 where none were counted.
        num_fresh: training rows that the parent did not learn from.
        seconds: that the update took, without a refit beside it.
        drift: the comparison with a refit; None: there was none.
    """

    model: nn.Module
    report: FitReport
    how: str
    statistics: Mapping[str, Tensor]
    since_refit: int
    fit_epochs: int
    num_fresh: int
    seconds: float
    drift: DriftCheck | None = None

    @property
    def kept_seconds(self) -> float:
        """Seconds of the fit that gave the model."""
        return self.drift.seconds if self.drift is not None and self.drift.takes_refit else self.seconds


@dataclass(frozen=True, slots=True)
class RunUpdate:
    """Updates one run; whatever fails or is interrupted leaves it and its data as they are.

    Args:
        parent: the run.
        new: what is appended to its data.
        settings: how.
        changes: settings of trainer, evaluation and paths that take the place of those of the run; None: none.
        print_line: receives lines on what is done.
        progress_bar: whether bars are shown, where there is a terminal.
    """

    parent: Path
    new: NewData
    settings: UpdateSettings
    changes: Mapping[str, Any]
    print_line: Callable[[str], None]
    progress_bar: bool = True

    def update(self) -> Updated:
        """Append, fit, compare with a refit where it is time for one, measure, and write the new run.

        Raises:
            RecsysError: a step failed.
        """
        with in_words_of_update():
            return self._update()

    def _update(self) -> Updated:
        self._check_settings()
        with progress.bar("opening the run", None):
            parent = open_run(self.parent)
        reader = self.new.reader(parent.config)
        with progress.bar("appending the new interactions", None), warnings_in_words_of_update():
            prepared = append(parent.prepared, reader, lambda now: self._check_split(parent, now)).prepared
        self._tell_of_data(parent.prepared, prepared)
        config = self._config(parent, prepared)
        runs, data_hash = Path(config.paths.runs_dir), prepared.schema.content_hash
        with one_update_at_a_time(runs, _absolute(self.parent), data_hash, self.print_line) as update:
            made = update_made_before(runs, _absolute(self.parent), data_hash)
            if made is not None:
                self.print_line(f"this update was made before; to make it anew, with other settings, delete {made}")
                return Updated(made, None, None)
            model = build_model(config.model, config.seed, prepared)
            view = build_view(config, prepared, model)
            split = split_of_update(parent, config, view)
            self._require_validation(len(split.valid) == 0)
            run = new_run(config)
            with locked_run(run.path), update.in_directory(run.path):
                return self._make(run, parent, _Generation(config, prepared, view, split), model)

    def _check_settings(self) -> None:
        """Refuse what the settings of the run and of the update rule out, before anything is read.

        Raises:
            RecsysError: they do.
        """
        _, manifest, config = read_run(self.parent)
        if manifest.update is not None:
            UpdateRecord.parse(manifest.update)
        config = self._changed(config)
        check_drift_settings(self.settings.drift)
        require_steady_split(config, manifest)
        self._require_validation(holds_no_validation(config, manifest))
        accelerator(config)
        instantiate(config.evaluation)
        require_place_for(Path(config.paths.runs_dir), "run", "paths.runs_dir")

    def _check_split(self, parent: TrainedRun, prepared: PreparedDataset) -> None:
        """Refuse new interactions by which something would be trained on that was held out for test.

        Raises:
            RecsysError: it would be, or the interactions cannot be divided.
        """
        config = self._config(parent, prepared)
        if may_move(config, parent.manifest):
            split_of_update(parent, config, build_view(config, prepared, parent.model))

    def _require_validation(self, is_missing: bool) -> None:
        if is_missing and self.settings.drift.every is not None:
            raise RunError(
                f"drift.every={self.settings.drift.every} compares with a refit on validation, but this run holds none "
                "out. Leave drift.every out, or train the first run with split=hash and split.valid_ratio=0.1."
            )

    def _make(self, run: RunDirectory, parent: TrainedRun, now: _Generation, model: nn.Module) -> Updated:
        """Fit ``model`` from that of the parent, measure it, and write the new run."""
        before = None if parent.manifest.update is None else UpdateRecord.parse(parent.manifest.update)
        fitted = self._fit(run, parent, now, model, before)
        run.save_model(fitted.model)
        if self.settings.keep_statistics and fitted.statistics:
            run.save_statistics(fitted.statistics)
        name, epochs, best = model_name(fitted.model), fitted.report.epochs, fitted.report.best_epoch
        run.save_history(epochs, f"{name} on {now.prepared.schema.name}", None, now.config.fitting.monitor, best)
        evaluation = None
        if len(now.split.test) > 0:
            device = training_device(now.config)
            evaluation = measure(now.config, now.prepared, now.view, now.split, fitted.model, run, device)
        metrics = None if evaluation is not None else carried_metrics(parent)
        record = self._record(parent, now, fitted, before)
        manifest = RunManifest.of(
            now.prepared,
            now.split,
            best,
            fitted.kept_seconds,
            now.view.kind,
            parent.manifest.trained_on,
            "of this update, on validation" if epochs and len(now.split.valid) > 0 else "",
            THIS_MODEL if evaluation is not None else _carried_from(parent, metrics),
            record.plain(),
        )
        run.finish(metrics, manifest)
        return Updated(run.path, record, evaluation)

    def _fit(
        self, run: RunDirectory, parent: TrainedRun, now: _Generation, model: nn.Module, before: UpdateRecord | None
    ) -> _Fitted:
        """The updated model, or the one fitted anew beside it, where it is time for one and that is better."""
        begin = time.perf_counter()
        fitter = self._fitter(now, run.checkpoints)
        fit_epochs = parent.manifest.best_epoch if before is None else before.fit_epochs
        warm = fit_from(parent, model, fitter, self.settings, fit_epochs)
        seconds = time.perf_counter() - begin
        self.print_line(f"{warm.how}: {warm.change.num_fresh:,} new training rows, {seconds:.1f} s")
        since = 0 if not warm.is_updated else 1 + (0 if before is None else before.since_refit)
        fitted = _Fitted(
            model,
            warm.report,
            warm.how,
            warm.statistics,
            since,
            fit_epochs if since else warm.report.best_epoch,
            warm.change.num_fresh,
            seconds,
        )
        every = self.settings.drift.every
        return self._beside_refit(run, now, fitted) if every is not None and since and since % every == 0 else fitted

    def _beside_refit(self, run: RunDirectory, now: _Generation, updated: _Fitted) -> _Fitted:
        """A fit on all interactions where the updated model has fallen behind it, else that model; with what was found.

        The refit is made in either case: it takes as long as a training.
        """
        self.print_line("fitting anew on all interactions, to compare the updated model with it")
        refitted = build_model(now.config.model, now.config.seed, now.prepared)
        begin, place = time.perf_counter(), run.path / REFIT / CHECKPOINTS
        report = self._fitter(now, place).fit(refitted)
        seconds = time.perf_counter() - begin
        known, device = build_known_items(now.config), training_device(now.config)
        drift = compare_with_refit(
            updated.model, refitted, now.view, now.split, known, self.settings.drift, seconds, device
        )
        self.print_line(drift.in_words())
        if drift.takes_refit and place.is_dir():  # the next update goes on from the state of its optimiser
            shutil.rmtree(run.checkpoints, ignore_errors=True)  # none without new training rows
            place.replace(run.checkpoints)
        shutil.rmtree(run.path / REFIT, ignore_errors=True)  # a model that is fitted at once leaves none
        if not drift.takes_refit:
            return replace(updated, drift=drift)
        how = f"{model_name(refitted)} was fitted anew, as the updated one had fallen behind"
        return replace(
            updated,
            model=refitted,
            report=report,
            how=how,
            statistics={},
            since_refit=0,
            fit_epochs=report.best_epoch,
            drift=drift,
        )

    def _fitter(self, now: _Generation, checkpoints: Path) -> ModelFitter:
        return ModelFitter(
            now.config, now.view, now.split, checkpoints, self.print_line, progress_bar=self.progress_bar
        )

    def _record(
        self, parent: TrainedRun, now: _Generation, fitted: _Fitted, before: UpdateRecord | None
    ) -> UpdateRecord:
        new, old = now.prepared.schema, parent.prepared.schema
        return UpdateRecord(
            parent=str(_absolute(self.parent)),
            updates=1 + (0 if before is None else before.updates),
            since_refit=fitted.since_refit,
            how=fitted.how,
            num_fresh=fitted.num_fresh,
            num_new_users=new.num_users - old.num_users,
            num_new_items=new.num_items - old.num_items,
            seconds=round(fitted.seconds, 3),
            fit_epochs=fitted.fit_epochs,
            drift=fitted.drift,
        )

    def _config(self, parent: TrainedRun, prepared: PreparedDataset) -> DictConfig:
        """The configuration of the new run: that of the parent, on the new generation of its data."""
        config = parent.config.copy()
        config.data = {
            "_target_": f"{PreparedReader.__module__}.{PreparedReader.__name__}",
            "directory": str(prepared.directory.absolute()),
            "table": self.new.form(parent.config) or None,
        }
        config.resume, config.chosen_by, config.settings_of = None, None, None
        return self._changed(config)

    def _changed(self, config: DictConfig) -> DictConfig:
        """The configuration of a run with the settings that this update changes."""
        config.trainer.devices = 1  # an update is small
        for name, value in self.changes.items():
            if value is not None:
                OmegaConf.update(config, name, value, merge=True, force_add=True)
        return config

    def _tell_of_data(self, before: PreparedDataset, now: PreparedDataset) -> None:
        old, new = before.schema, now.schema
        self.print_line(
            f"{new.name}, generation {new.generation}: {new.num_interactions:,} interactions "
            f"({new.num_interactions - old.num_interactions:+,}), {new.num_users:,} users "
            f"({new.num_users - old.num_users:+,}), {new.num_items:,} items ({new.num_items - old.num_items:+,})"
        )
        for rule in new.rules:
            self.print_line(f"  {rule}")
        self.print_line(f"prepared: {now.directory}")


def carried_metrics(parent: TrainedRun) -> dict[str, float]:
    """What was measured before a run was trained on everything, under the names that say so."""
    metrics = parent.directory.metrics().items()
    return {f"{CARRIED_PREFIX}{name.removeprefix(CARRIED_PREFIX)}": value for name, value in metrics}


def _carried_from(parent: TrainedRun, metrics: Mapping[str, float] | None) -> str:
    """What metrics are of that were measured before all interactions were trained on."""
    return f"{BEFORE_REFIT}, by run {parent.directory.path}" if metrics else NOTHING


def _absolute(path: Path) -> Path:
    return path.absolute()
