"""Cross-validation: a model is fitted and tested once for each fold."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig

from recsys.cli.progress import progress
from recsys.data.prepared import PreparedDataset
from recsys.errors import RunError
from recsys.evaluation.model_report import evaluate_model, model_name
from recsys.models.interface.protocols import Fittable
from recsys.reporting.evaluation_tables import mean_and_deviation
from recsys.runs.assembly import build_data, build_model, build_seen_policy, build_split, build_view
from recsys.runs.device import training_device
from recsys.runs.study_fit import check_study_refit, fit_in_study, measured_split

#: Share of validation for models that are trained in epochs, if none is given.
VALID_RATIO = 0.1


@dataclass(frozen=True, slots=True)
class Fold:
    """Results of one fold.

    Args:
        number: number of the fold, from 0.
        metrics: all test metrics, such as ``test/rmse`` and ``test/ndcg@10``.
        seconds: wall time of fitting.
    """

    number: int
    metrics: dict[str, float]
    seconds: float


class CrossValidation:
    """Fits and tests a model on each fold of one data set.

    Args:
        config: a resolved configuration of ``cross_validate.yaml``.

    Raises:
        RunError: the split has no folds, there is a run to resume, or ``refit`` has no meaning for folds.
    """

    def __init__(self, config: DictConfig) -> None:
        if "fold" not in config.split:
            raise RunError("Cross-validation needs a split with folds. Use split=k_fold, and folds= for their number.")
        if config.resume is not None:
            raise RunError("A cross-validation starts anew and cannot be resumed. Leave resume out.")
        check_study_refit(config)
        self.prepared: PreparedDataset = build_data(config)
        model = build_model(config.model, config.seed, self.prepared)
        self.model_name = model_name(model)
        self.view = build_view(config, self.prepared, model)
        self._config = config.copy()
        if config.split.valid_ratio is None:
            self._config.split.valid_ratio = 0.0 if isinstance(model, Fittable) else VALID_RATIO
        self._config.split.fold = 0
        build_split(self._config, self.view.interactions)  # fails on wrong settings before anything is trained

    def folds(self, print_line: Callable[[str], None]) -> Iterator[Fold]:
        """Fit and test on each fold in turn.

        Args:
            print_line: called with a line of text for each epoch of a model that is trained in epochs.
        """
        evaluator = instantiate(self._config.evaluation)
        for number in progress.track(range(self._config.split.num_folds), "folds"):
            config = self._config.copy()
            config.split.fold = number
            apart = build_split(config, self.view.interactions, refit=False)
            build = partial(build_model, config.model, config.seed, self.prepared)
            started = time.perf_counter()
            model, _ = fit_in_study(config, self.view, apart, build, print_line)
            seconds = time.perf_counter() - started
            evaluation = evaluate_model(
                evaluator,
                None,
                self.prepared,
                self.view,
                measured_split(config, apart),
                model,
                training_device(config),
                exclude_seen=build_seen_policy(config),
            )
            yield Fold(number, evaluation.metrics(self.model_name), seconds)

    def save(self, folds: list[Fold], path: Path) -> None:
        """Write all numbers, their means and their standard deviations as JSON."""
        spread = mean_and_deviation([fold.metrics for fold in folds])
        content = {
            "model": self.model_name,
            "data": self.prepared.schema.name,
            "data_hash": self.prepared.schema.content_hash,
            "view": self.view.kind,
            "mean": {name: mean for name, (mean, _) in spread.items()},
            "sd": {name: deviation for name, (_, deviation) in spread.items()},
            "folds": [{"fold": fold.number, "fit_seconds": round(fold.seconds, 3), **fold.metrics} for fold in folds],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
