"""Cold-start study: fits and evaluates models for new items, new users and both."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import cast

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from torch import nn

from recsys.data.prepared import PreparedDataset
from recsys.data.split import Split, Splitter
from recsys.data.splitting.cold_both import ColdBoth
from recsys.errors import RunError
from recsys.evaluation.model_report import model_name
from recsys.evaluation.ranking import RankingEvaluator
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.interface.protocols import FoldsIn, PredictsRatings, ScoringModel, UsesItemFeatures
from recsys.runs.assembly import build_data, build_known_items, build_model, build_view
from recsys.runs.device import training_device
from recsys.runs.study_fit import check_study_refit, fit_in_study, measured_split
from recsys.studies.cold_start.fold_in_task import FoldInOnly, fold_in_task
from recsys.studies.cold_start.measured import Row

COLD_ITEMS = "cold_items"
COLD_USERS = "cold_users"
COLD_BOTH = "cold_both"


@dataclass(frozen=True, slots=True)
class ColdProtocol:
    """A cold-start scenario.

    Args:
        name: ``cold_items``, ``cold_users`` or ``cold_both``.
        apart: the split of the interactions, with validation apart from training.
        split: the same, with validation in training where ``refit`` is true.
        new_users: whether test users are not in training.
        new_items: whether held-out items are not in training.
    """

    name: str
    apart: Split
    split: Split
    new_users: bool
    new_items: bool

    def cannot(self, model: nn.Module) -> str | None:
        """Why ``model`` cannot take part; None if it can."""
        if self.new_users and not isinstance(model, FoldsIn):
            return "scores only the users that it was trained on"
        if self.new_items and not isinstance(model, UsesItemFeatures):
            return "cannot score an item without interactions"
        return None


class ColdStart:
    """Evaluates a model and the baselines in each scenario, on one data set.

    Each model is fitted once for a scenario. For new users it is then evaluated with each number of fold-in
    interactions, for the same users, held-out items and candidates.

    Args:
        config: a resolved configuration of ``cold_start.yaml``.

    Raises:
        RunError: the split is not ``cold_both``, ``num_fold_in`` is not a list of numbers, or there is a run to resume.
        SplitError: there are too few users or items to hold out.
    """

    def __init__(self, config: DictConfig) -> None:
        if config.resume is not None:
            raise RunError("A cold-start study always starts anew and cannot be resumed. Leave resume out.")
        check_study_refit(config)
        numbers = list(config.num_fold_in)
        if not numbers or any(isinstance(num, bool) or not isinstance(num, int) or num < 0 for num in numbers):
            raise RunError(
                f"num_fold_in must be a list of whole numbers of at least 0, such as [1,3,5], but it is {numbers}. "
                "Correct it."
            )
        self.num_fold_in: list[int] = sorted(set(numbers))
        self.prepared: PreparedDataset = build_data(config)
        model = build_model(config.model, config.seed, self.prepared)
        self.model_name = model_name(model)
        self.view = build_view(config, self.prepared, model)
        self.evaluator: RankingEvaluator = instantiate(config.evaluation)
        self._config = config
        both = self._splitter()
        self._order = both.users.order
        self.protocols = (
            self._protocol(COLD_ITEMS, both.items, new_users=False, new_items=True),
            self._protocol(COLD_USERS, both.users, new_users=True, new_items=False),
            self._protocol(COLD_BOTH, both, new_users=True, new_items=True),
        )

    def _splitter(self) -> ColdBoth:
        """The splitter; it holds out users with enough interactions for the largest number of fold-in interactions."""
        settings = self._config.split.copy()
        if "users" in settings:
            settings.users.given_ratio = None
            settings.users.num_given = max(self.num_fold_in)
        splitter = instantiate(settings)
        if not isinstance(splitter, ColdBoth):
            raise RunError(
                "A cold-start study needs split=cold_both, whose two parts are used separately too, but the split is "
                f"{type(splitter).__name__}. Set split=cold_both."
            )
        return splitter

    def _protocol(self, name: str, splitter: Splitter, new_users: bool, new_items: bool) -> ColdProtocol:
        apart = splitter.split(self.view.interactions)
        return ColdProtocol(name, apart, measured_split(self._config, apart), new_users, new_items)

    def rows(self, print_line: Callable[[str], None]) -> Iterator[Row]:
        """Fit and evaluate in each scenario, first the model, then the baselines.

        Args:
            print_line: called with a line of text for each fit, and for each epoch of a model trained in epochs.
        """
        for protocol in self.protocols:
            model = self._build(self._config.model)
            baselines = [self._build(config) for config in self._config.baselines]
            if all(type(model) is not type(baseline) for baseline in baselines):
                yield from self._of_model(model, protocol, print_line)
            for config in self._config.baselines:  # they score every user and every item
                yield from self._measured(config, protocol, print_line)

    def _build(self, config: DictConfig) -> nn.Module:
        return build_model(config, self._config.seed, self.prepared)

    def _of_model(self, model: nn.Module, protocol: ColdProtocol, print_line: Callable[[str], None]) -> Iterator[Row]:
        """The rows of the model under study; if it cannot take part, rows that give the reason."""
        cannot = protocol.cannot(model)
        if cannot is None:
            yield from self._measured(self._config.model, protocol, print_line)
            return
        print_line(f"{protocol.name}: {model_name(model)} cannot take part, as it {cannot}")
        for num_fold_in in self.num_fold_in if protocol.new_users else [None]:
            yield Row(protocol.name, num_fold_in, model_name(model), {}, cannot=cannot)

    def _measured(self, config: DictConfig, protocol: ColdProtocol, print_line: Callable[[str], None]) -> Iterator[Row]:
        """Fit the model of ``config``, and evaluate with each number of fold-in interactions."""
        started = time.perf_counter()
        model, _ = fit_in_study(self._config, self.view, protocol.apart, partial(self._build, config), print_line)
        seconds = time.perf_counter() - started
        print_line(f"{protocol.name}: {model_name(model)} fitted in {seconds:.1f} s")
        device = training_device(self._config)
        scored = model.to(device).eval()
        if protocol.new_users and isinstance(model, FoldsIn):
            scored = FoldInOnly(model)
        for num_fold_in, task in self._tasks(protocol, isinstance(model, PredictsRatings), device):
            result = self.evaluator.evaluate(cast(ScoringModel, scored), task)
            yield Row.measured(
                protocol.name,
                num_fold_in,
                model_name(model),
                result,
                seconds,
                self.evaluator.bootstrap_samples,
                self.evaluator.seed,
            )

    def _tasks(
        self, protocol: ColdProtocol, rates: bool, device: torch.device
    ) -> Iterator[tuple[int | None, RankingTask]]:
        """The ranking tasks of ``protocol``: one, or one for each number of fold-in interactions if users are new."""
        interactions, positive = self.view.interactions, self.view.positive
        known = build_known_items(self._config)
        if not protocol.new_users:
            yield None, RankingTask.from_split(interactions, protocol.split, "test", device, positive, rates, known)
            return
        for num_fold_in in self.num_fold_in:
            yield (
                num_fold_in,
                fold_in_task(
                    interactions,
                    protocol.split,
                    num_fold_in,
                    self._order,
                    self._config.seed,
                    device,
                    positive,
                    rates,
                    known,
                ),
            )
