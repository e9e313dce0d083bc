"""One worker of a search, from a configuration to the best settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from recsys.cli.progress import progress
from recsys.runs.run_directory import TRACKING
from recsys.studies.tuning.best_settings import BEST, BestSettings
from recsys.studies.tuning.finished_trial import TRIALS, FinishedTrial
from recsys.studies.tuning.identity import study_identity
from recsys.studies.tuning.metric import best_direction, default_metric
from recsys.studies.tuning.objective import Objective, TrialResult
from recsys.studies.tuning.pruning import PruningListener
from recsys.studies.tuning.search_space import SearchSpace
from recsys.studies.tuning.study import Study
from recsys.studies.tuning.study_storage import StudyStorage

if TYPE_CHECKING:  # an extra, which a training without a search does not need
    from optuna import Trial


class StudyWorker:
    """A worker that searches for the best settings of a model, on data that are prepared and split once.

    Args:
        config: of ``tune.yaml``.
        choices: the choices of groups, such as ``model``.
        fixed: overrides that all trials share.
        compose: makes the resolved configuration of a training from overrides.
        print_line: receives a line for each trial.

    Raises:
        RecsysError: there is nothing to search, or the data and the metric do not suit each other.
    """

    def __init__(
        self,
        config: DictConfig,
        choices: Mapping[str, Any],
        fixed: Sequence[str],
        compose: Callable[[list[str]], DictConfig],
        print_line: Callable[[str], None],
    ) -> None:
        self._config, self._fixed, self._compose, self._print_line = config, list(fixed), compose, print_line
        space = SearchSpace.of(config.get("search"), choices["model"])
        self._start = compose(self._fixed)
        self._metric = config.metric or default_metric(self._start)
        self._direction = config.direction or best_direction(self._metric)
        self._objective = Objective(self._start, self._metric, config.validation)
        self._space = space.for_data(self._objective.view.interactions, choices["model"])
        self._choices = choices
        self._output = Path(config.output)

    def run(self, pruner: Any, tracker: Any, tells: bool) -> None:
        """Run trials until all are there, whoever runs them, and write ``best.yaml``.

        Args:
            pruner: of Optuna; None: no trial is stopped.
            tracker: records trials; see :class:`recsys.runs.tracking.NoTracker`.
            tells: whether to print what the trials are of, and how many were there.

        Raises:
            RunError: the storage cannot be used, has another study, or all trials failed.
            RecsysError: the very first trial failed.
        """
        config, prepared = self._config, self._objective.prepared
        if tells:
            self._print_line(f"{prepared.schema.name}: {len(self._objective.split.train):,} training interactions")
        study = self._study(pruner)
        if tells:
            self._tell_of(study)
        tags = {"model": str(self._choices["model"]), "data": prepared.schema.name}
        tracker.start(f"tune {config.name}", OmegaConf.to_container(self._start), self._output / TRACKING, tags)

        def show(trial: FinishedTrial) -> None:
            self._print_line(trial.line(self._metric, config.trials, study.best_so_far()))
            bar.advance(len(study.finished()) - bar.done)
            if trial.result is not None:
                numbers = {self._metric: trial.result.value, "seconds": trial.result.seconds}
                tracker.log_child(f"trial {trial.number}", trial.overrides, numbers)

        try:
            with progress.bar("trials", config.trials, done=len(study.finished())) as bar:
                study.run(config.trials, self._measure, show)
        except BaseException:
            tracker.fail()
            study.close()
            raise
        refit = config.validation == "split"
        best = BestSettings.of(study.best(), self._metric, self._fixed, refit, len(study.finished()))
        best.save(self._output)
        study.close()
        tracker.finish({self._metric: best.value}, [self._output / name for name in (BEST, TRIALS)])

    def _study(self, pruner: Any) -> Study:
        config = self._config
        hashes = (self._objective.prepared.schema.content_hash, self._objective.split.content_hash())
        return Study(
            self._output,
            self._space,
            study_identity(*hashes, self._metric, self._start),
            self._direction,
            config.sampler_seed,
            self._space.start(self._start, self._choices),
            StudyStorage.locate(config.storage, self._output, config.study_name),
            pruner,
            config.retries,
            config.lost_after_seconds,
        )

    def _tell_of(self, study: Study) -> None:
        there, others = len(study.finished()), study.others()
        if there:
            self._print_line(f"{there} of {self._config.trials} trials were there already")
        if others:
            self._print_line(f"{others} other worker{'s are' if others > 1 else ' is'} at it")

    def _measure(self, overrides: dict[str, str], trial: Trial) -> TrialResult:
        drawn = self._compose([*self._fixed, *(f"{name}={value}" for name, value in overrides.items())])
        sign = 1 if self._direction == "maximize" else -1
        return self._objective(drawn, listener=PruningListener(trial, self._metric, sign))
