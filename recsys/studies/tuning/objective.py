"""The objective of a search: fits a model with the settings of a trial and evaluates it on validation."""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass
from typing import Literal

from omegaconf import DictConfig

from recsys.errors import EvaluationError, RunError
from recsys.evaluation.fixed_negatives import evaluate_fixed_negatives
from recsys.evaluation.model_report import evaluate_model, model_name
from recsys.evaluation.ranking import RankingEvaluator
from recsys.evaluation.statistics.significance import Interval
from recsys.runs.assembly import build_data, build_known_items, build_model, build_split, build_view
from recsys.runs.device import training_device
from recsys.runs.model_fitting import ModelFitter
from recsys.studies.tuning.epoch_limit import EpochLimit, TimeIsUp
from recsys.studies.tuning.pruning import PrunedTrial
from recsys.studies.tuning.validation import SampledPairs, among_sampled_negatives, without_test
from recsys.training.reports.fit_report import Listener

ValidationKind = Literal["split", "sampled_negatives"]


@dataclass(frozen=True, slots=True)
class TrialResult:
    """Result of one trial.

    Args:
        value: the metric on validation.
        best_epoch: epoch whose weights were evaluated; 0 for a model without epochs.
        seconds: wall time of fitting, seconds.
        cut_short: whether the fit was stopped because its time was up.
        pruned: whether it was stopped because its epochs were worse than those of other trials.
        interval: 95 % interval of the value; None where none was asked for, or the fit was stopped.
    """

    value: float
    best_epoch: int
    seconds: float
    cut_short: bool = False
    pruned: bool = False
    interval: Interval | None = None


class Objective:
    """Fits and evaluates models on data that are prepared and split once.

    Args:
        config: a complete training configuration; all trials share its data, split and view.
        metric: the metric, such as ``valid/ndcg@10``, ``valid/rmse`` or ``sampled-99/hit_rate@10``.
        validation: ``split`` evaluates on the validation part of the split; ``sampled_negatives`` ranks training
            interactions among random items (:func:`recsys.studies.tuning.validation.among_sampled_negatives`).
        bootstrap_samples: resamples of users for the interval of each value; 0 for none.

    Raises:
        RunError: ``validation`` is unknown, the split has no validation part, or ``refit`` leaves none.
    """

    def __init__(
        self, config: DictConfig, metric: str, validation: ValidationKind = "split", bootstrap_samples: int = 0
    ) -> None:
        if validation not in ("split", "sampled_negatives"):
            raise RunError(f"validation must be split or sampled_negatives, but it is {validation}. Choose one.")
        self.metric = metric
        self._bootstrap_samples = bootstrap_samples
        self.prepared = build_data(config)
        view = build_view(config, self.prepared, build_model(config.model, config.seed, self.prepared))
        split = build_split(config, view.interactions)
        self._pairs: SampledPairs | None = None
        if validation == "sampled_negatives":
            self.view, self.split, self._pairs = among_sampled_negatives(view, split, seed=config.seed)
        else:
            if len(split.valid) == 0:
                raise RunError(
                    "Settings are chosen on validation, but the split has none. Give it a share "
                    "(split.otherwise.valid_ratio=0.1), leave out refit=true, or use validation=sampled_negatives."
                )
            self.view, self.split = without_test(view, split)
        cut_off = re.search(r"@(\d+)", metric)
        # Segments use the same cut-off, so that no longer lists are ranked.
        self._k = int(cut_off[1]) if cut_off else 10

    def __call__(
        self, config: DictConfig, limit_seconds: float = math.inf, listener: Listener | None = None
    ) -> TrialResult:
        """Fit and evaluate the model of ``config``, a resolved configuration.

        Args:
            config: the configuration.
            limit_seconds: a model with epochs is stopped before an epoch that would probably end later than this after
                the start; its best epoch so far counts. A model without epochs is not stopped.
            listener: receives the metrics of each epoch, and may raise
                :class:`~recsys.studies.tuning.pruning.PrunedTrial`.

        Raises:
            EvaluationError: the metric is not among those that are measured.
            RecsysError: the model cannot be fitted with these settings.
        """
        model = build_model(config.model, config.seed, self.prepared)
        started = time.perf_counter()
        limit = EpochLimit(self.metric, limit_seconds)

        def listen(epoch: int, metrics: dict[str, float]) -> None:
            if listener is not None:
                listener(epoch, metrics)
            limit(epoch, metrics)

        try:
            report = ModelFitter(config, self.view, self.split, listener=listen).fit(model)
        except PrunedTrial as pruned:
            return TrialResult(pruned.value, pruned.best_epoch, time.perf_counter() - started, pruned=True)
        except TimeIsUp:
            return TrialResult(*limit.best(), time.perf_counter() - started, cut_short=True)
        seconds = time.perf_counter() - started
        device = training_device(config)
        if self._pairs is None:
            known = build_known_items(config)
            evaluator = RankingEvaluator(
                ks=(self._k,),
                segment_k=self._k,
                bootstrap_samples=self._bootstrap_samples,
                repeats=known.repeats,
            )
            found = evaluate_model(
                evaluator, None, self.prepared, self.view, self.split, model, device, "valid", known.exclude_seen
            )
            metrics = found.metrics(model_name(model))
        else:
            pairs = self._pairs
            metrics = evaluate_fixed_negatives(
                model.eval(),  # type: ignore[arg-type]
                pairs.users,
                pairs.targets,
                pairs.negatives,
                ks=(self._k,),
                histories=pairs.histories,
                bootstrap_samples=self._bootstrap_samples,
            ).flat()
        if self.metric not in metrics:
            raise EvaluationError(
                f"metric must be one that is measured on validation ({', '.join(metrics)}), but it is {self.metric}. "
                "Correct it."
            )
        ends = [metrics.get(f"{self.metric}{end}") for end in ("_low", "_high")]
        interval = None if ends[0] is None or ends[1] is None else Interval(ends[0], ends[1])
        return TrialResult(metrics[self.metric], report.best_epoch, seconds, interval=interval)
