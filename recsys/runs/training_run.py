"""Makes the fits of a plan, measures the model, and writes what the run directory keeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from omegaconf import DictConfig
from torch import nn

from recsys.data.feedback_view import FeedbackView
from recsys.data.prepared import PreparedDataset
from recsys.data.split import Split
from recsys.distributed.collectives import object_from_main, same_on_ranks
from recsys.distributed.ranks import alone, ranks
from recsys.evaluation.model_report import EvaluationReport, model_name
from recsys.models.interface.protocols import Fittable
from recsys.runs.assembly import build_model
from recsys.runs.chosen_epochs import ChosenEpochs
from recsys.runs.device import training_device
from recsys.runs.fit_plan import FitPlan
from recsys.runs.fit_stages import fit_stages
from recsys.runs.measuring import measure
from recsys.runs.model_fitting import ModelFitter
from recsys.runs.run_directory import CHECKPOINTS, METRICS, SELECTION, RunDirectory
from recsys.runs.run_manifest import CARRIED_PREFIX, RunManifest
from recsys.training.reports.fit_report import REPORT, FitReport, Listener, read_report


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a training gave.

    Args:
        model: with the weights that are kept.
        metrics: what ``metrics.json`` has.
        evaluation: the measured fit beside the baseline; None where nothing was measured just now.
        monitored: the best value of the monitored metric; None without validation.
    """

    model: nn.Module
    metrics: dict[str, float]
    evaluation: EvaluationReport | None
    monitored: float | None


@dataclass(slots=True)
class TrainingRun:
    """Fits once or twice, as the plan says, and goes on where an interrupted run of the same plan stopped.

    Args:
        config: the resolved configuration.
        prepared: the data.
        view: the interactions that the plan divides.
        plan: which fits are made, and which is measured.
        run: where everything is written.
        print_line: receives the lines of the fits.
        progress_bar: whether a bar shows the steps of an epoch.
    """

    config: DictConfig
    prepared: PreparedDataset
    view: FeedbackView
    plan: FitPlan
    run: RunDirectory
    print_line: Callable[[str], None]
    progress_bar: bool = True
    _seconds: float = field(default=0.0, init=False)

    def train(self, model: nn.Module, listener: Listener) -> Outcome:
        """Fit ``model`` (or a fresh one like it, the second time), measure it, and finish the run directory.

        Args:
            model: a fresh one.
            listener: receives the metrics of each epoch of the first fit, or of the only one.

        Raises:
            RecsysError: the model cannot be fitted or measured, or the directory cannot be written.
        """
        with fit_stages(1 if self.plan.first is None else 2, self.progress_bar, what="fit") as begin_fit:
            return self._train(model, listener, begin_fit)

    def _train(self, model: nn.Module, listener: Listener, begin_fit: Callable[[str], None]) -> Outcome:
        plan, monitored, evaluation = self.plan, None, None
        epochs = plan.epochs
        if plan.first is not None:
            begin_fit("with validation")
            monitored, evaluation = self._first(model, plan.first, listener)
            model = build_model(self.config.model, self.config.seed, self.prepared)
            if epochs is None and not isinstance(model, Fittable):
                epochs = ChosenEpochs(self.run.path / SELECTION / CHECKPOINTS)
            self.print_line(self._told_of_last(epochs))
            begin_fit("the last")
        report = self._fit(model, plan.last, self.run.checkpoints, epochs, None if plan.first is not None else listener)
        self.run.save_model(model)
        self._save_history(report, model)
        if plan.measures_last:
            evaluation = self._measure(model, "")
        self._finish(report.best_epoch)
        return Outcome(model, self.run.metrics(), evaluation, report.best_value if plan.first is None else monitored)

    def _first(
        self, model: nn.Module, split: Split, listener: Listener
    ) -> tuple[float | None, EvaluationReport | None]:
        """The fit that chooses the epochs or is measured; not made again where an interrupted run had made it."""
        kept = self.run.path / SELECTION
        report_file = kept / CHECKPOINTS / REPORT
        if object_from_main((self.run.path / METRICS if self.plan.measures_first else report_file).is_file()):
            self.print_line("the first fit was made before the interruption")
            return read_report(report_file).best_value if report_file.is_file() else None, None
        report = self._fit(model, split, kept / CHECKPOINTS, None, listener)
        self._save_history(report, model, kept)
        evaluation = self._measure(model, CARRIED_PREFIX) if self.plan.measures_first else None
        return report.best_value, evaluation

    def _told_of_last(self, epochs: ChosenEpochs | None) -> str:
        rows = f"{self.plan.trained_on} ({len(self.plan.last.train):,})"
        return f"now on {rows}" + ("" if epochs is None else f", for {epochs.in_words()}")

    def _fit(
        self, model: nn.Module, split: Split, checkpoints: Path, epochs: ChosenEpochs | None, listener: Listener | None
    ) -> FitReport:
        begin = time.perf_counter()
        fitter = ModelFitter(
            self.config,
            self.view,
            split,
            checkpoints=checkpoints,
            print_line=self.print_line,
            progress_bar=self.progress_bar,
            epochs=epochs,
        )
        if listener is not None:
            fitter = replace(fitter, listener=listener)
        report = fitter.fit(model)
        seconds = time.perf_counter() - begin
        self._seconds += seconds
        kept = f"; weights of epoch {report.best_epoch} kept" if report.best_epoch > 0 else ""
        self.print_line(f"{model_name(model)} fitted in {seconds:.1f} s{kept}")
        return report

    def _measure(self, model: nn.Module, prefix: str) -> EvaluationReport | None:
        """Evaluate on the test rows beside the baseline, and write the numbers; None on all ranks but the first."""
        device = training_device(self.config)
        # What each rank has fitted for itself may differ in rounding: the model that is kept is measured.
        together = same_on_ranks(model.state_dict().values())
        if not together and not ranks().is_main:
            return None
        with nullcontext() if together else alone():
            return measure(self.config, self.prepared, self.view, self.plan.split, model, self.run, device, prefix)

    def _finish(self, best_epoch: int) -> None:
        plan = self.plan
        if plan.carried is not None:
            carried = plan.carried.metrics().items()
            self.run.save_metrics({f"{CARRIED_PREFIX}{key.removeprefix(CARRIED_PREFIX)}": v for key, v in carried})
        elif not plan.measures_last and not plan.measures_first:
            self.run.save_metrics({})
        self.run.finish(
            None,
            RunManifest.of(
                self.prepared,
                plan.split,
                best_epoch,
                self._seconds,
                self.view.kind,
                plan.trained_on,
                plan.epochs_chosen,
                plan.measured,
            ),
        )

    def _save_history(self, report: FitReport, model: nn.Module, directory: Path | None = None) -> None:
        monitor = self.config.fitting.monitor
        self.run.save_history(report.epochs, self._title(model), directory, monitor, report.best_epoch)

    def _title(self, model: nn.Module) -> str:
        return f"{model_name(model)} on {self.prepared.schema.name}"
