"""Fits one model on the training part of a split."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig
from torch import nn

from recsys.cli.process.free_memory import release_free_memory
from recsys.cli.progress import Bar, progress
from recsys.data.feedback_view import FeedbackView
from recsys.data.interactions import IntArray, Interactions
from recsys.data.row_numbers import RowArray
from recsys.data.split import Split
from recsys.distributed.collectives import traffic
from recsys.distributed.ranks import ranks
from recsys.errors import ModelError
from recsys.evaluation.model_report import model_name
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.interface.protocols import Fittable, PredictsRatings, PretrainsInTowers, RanksCandidates
from recsys.runs.assembly import build_known_items
from recsys.runs.chosen_epochs import ChosenEpochs
from recsys.runs.device import accelerator, training_device
from recsys.runs.fit_stages import fit_stages
from recsys.runs.part_settings import source_settings, tower_settings
from recsys.runs.run_directory import CHECKPOINTS
from recsys.runs.trainer_precision import lightning_precision, product_precision
from recsys.training.reports.fit_report import FitReport, Listener
from recsys.training.stacking import CandidateLists, stack

#: What Lightning was given refers to itself in circles, and is let go of by a collection alone: 16 bytes or more of
#: each interaction, which the evaluation would have beside its own. A collection takes up to a third of a second, which
#: few interactions are not worth.
_MANY_INTERACTIONS = 1 << 20


def _print_nothing(line: str) -> None:
    """Drop a line."""


def _tell_nobody(epoch: int, metrics: dict[str, float]) -> None:
    """Drop the metrics of an epoch."""


@dataclass(frozen=True, slots=True)
class ModelFitter:
    """Fits models as a configuration says: in closed form, or by gradient steps.

    Args:
        config: the resolved configuration of the run.
        view: the interactions that ``split`` divides; a model that does not predict ratings learns from the positives.
        split: its training part is learned from; its validation part, where it is not empty, decides when to stop.
        checkpoints: directory for the checkpoints; training goes on from those that are there. None keeps none.
        print_line: receives a line for each epoch.
        listener: receives the metrics of each epoch, but not those of pre-training or of a hybrid's sources.
        progress_bar: whether bars are shown, where there is a terminal.
        epochs: for how long each part is trained, in place of what the configuration says; None leaves that to it.
        learned: those of the training rows that gradient steps are taken on; the others are known to the model already.
            None: all.
        optimizer_state: what the optimiser goes on from, in PyTorch's form; None: nothing.

    Example:
        >>> ModelFitter(config, view, split).fit(model)  # doctest: +SKIP
    """

    config: DictConfig
    view: FeedbackView
    split: Split
    checkpoints: Path | None = None
    print_line: Callable[[str], None] = _print_nothing
    listener: Listener = _tell_nobody
    progress_bar: bool = True
    epochs: ChosenEpochs | None = None
    learned: RowArray | None = None
    optimizer_state: Mapping[str, Any] | None = None

    def fit(self, model: nn.Module) -> FitReport:
        """Fit ``model`` in place.

        Raises:
            ModelError: ``pretraining`` is asked of a model without towers, has settings that do not exist, or the
                training does not suit the model.
            RunError: the device that is asked for is not there.
        """
        if self.checkpoints is None:
            with tempfile.TemporaryDirectory() as directory:
                return replace(self, checkpoints=Path(directory)).fit(model)
        train = self.view.training_interactions(self.split.train, isinstance(model, PredictsRatings))
        if isinstance(model, Fittable):
            model.to(training_device(self.config))
            before = traffic.bytes
            model.fit(train)
            model.cpu()
            if ranks().size > 1 and traffic.bytes == before:
                self.print_line(
                    f"{model_name(model)} divides no work: each of {ranks().size} processes fitted all of it"
                )
            return FitReport([], best_epoch=0, best_value=None)
        ranks_lists, pretrains = isinstance(model, RanksCandidates), self.config.pretraining is not None
        towers = len(model.towers()) if pretrains and isinstance(model, PretrainsInTowers) else 0
        lists = None
        with fit_stages(ranks_lists + towers + 1, self.progress_bar) as begin_stage:
            if isinstance(model, RanksCandidates):
                begin_stage("sources")
                lists = self._candidate_lists(model)
                self.print_line(
                    f"training the ranker on {len(lists):,} lists of up to {lists.items.shape[1]:,} candidates"
                )
            if pretrains:
                self._pretrain(model, train, begin_stage)
            begin_stage("the ranker" if ranks_lists else "whole network")
            return self._train(model, train, lists)

    def check(self, model: nn.Module) -> None:
        """Require that ``model`` can be fitted with these settings, before anything is written or trained.

        Weights stay as they are; a model may take note of the training interactions, as it does when it is fitted.

        Raises:
            ModelError: the training does not suit the model, or settings of towers or sources do not exist.
            RunError: the optimiser, the trainer or what is monitored is refused, or the device is not there.
            RecsysError: what becomes of known items is no valid setting.
        """
        accelerator(self.config)
        build_known_items(self.config)
        if self.config.trainer.get("shard_embeddings"):
            from recsys.training.ranks.sharded_tables import check_tables

            check_tables(model)
        if isinstance(model, Fittable):
            return
        if "_target_" not in self.config.training:
            raise ModelError(
                f"{type(model).__name__} learns by gradient steps, but training=none is for models that are fitted at "
                "once. Leave training= out, and the one that suits the model is taken."
            )
        if isinstance(model, RanksCandidates):
            self._require_lists(model)
            for name, source in model.source_models().items():
                replace(self, config=source_settings(self.config, model, name)).check(source)
        if self.config.pretraining is not None:
            changed = tower_settings(self.config, model)
            assert isinstance(model, PretrainsInTowers), "tower_settings refuses other models"
            for name, tower in model.towers().items():
                replace(self, config=changed[name])._check_network(tower)
        self._check_network(model)

    def _check_network(self, network: nn.Module) -> None:
        """Make what trains a network, to see whether it can be made."""
        # Imported here: Lightning takes as long as all else, and most models are fitted without it.
        with self._bar("loading Lightning"):
            from recsys.training.fitting import check_monitor
            from recsys.training.trainer_run import check_trainer

        settings = self.config
        train = self.view.training_interactions(self.split.train, isinstance(network, PredictsRatings))
        if not isinstance(network, RanksCandidates):  # whose module needs the lists that its sources give
            module = instantiate(settings.training)(network=network, interactions=train)
            module.configure_optimizers()
            check_monitor(module, settings.fitting.monitor if len(self.split.valid) > 0 else None)
        check_trainer(_trainer(settings))

    def _bar(self, description: str) -> AbstractContextManager[Bar]:
        """A bar of several steps, where bars are wanted."""
        return progress.bar(description, None) if self.progress_bar else nullcontext(Bar(None))

    @property
    def _directory(self) -> Path:
        """Where checkpoints go, kept or not."""
        assert self.checkpoints is not None, "fit gives a temporary one"
        return self.checkpoints

    def _train(self, network: nn.Module, train: Interactions, lists: CandidateLists | None = None) -> FitReport:
        """Take gradient steps; ``lists`` are what a ranker learns from in place of single interactions."""
        settings = self.config
        if self.epochs is not None:
            settings = settings.copy()
            settings.trainer.max_epochs = self.epochs.number()
        validated = len(self.split.valid) > 0
        validation = partial(
            RankingTask.from_split,
            self.view.interactions,
            self.split,
            "valid",
            positive=self.view.positive,
            rated_histories=isinstance(network, PredictsRatings),
            known_items=build_known_items(settings),
        )
        rates = isinstance(network, PredictsRatings)
        some = None if self.learned is None else self.view.training_interactions(self.learned, rates)
        is_collected = len(train) > _MANY_INTERACTIONS
        if is_collected:
            gc.freeze()  # what is there already, such as all that was imported, need not be gone through afterwards
        module = instantiate(settings.training)(
            network=network,
            interactions=train if some is None else some,
            validation=validation if validated else None,
            **({} if lists is None else {"lists": lists}),
        )
        module.product_precision = product_precision(settings)
        module.optimizer_state = self.optimizer_state
        module.known_interactions = None if some is None else train
        if self.learned is not None and (observe_training := getattr(network, "observe_training", None)) is not None:
            observe_training(train)  # and not of some rows alone, as the module has said
        report: FitReport = instantiate(settings.fitting)(
            module=module,
            trainer=_trainer(settings),
            checkpoint_directory=self._directory,
            monitor=settings.fitting.monitor if validated else None,
            resume=True,
            print_line=self.print_line,
            listener=self.listener,
            progress_bar=self.progress_bar,
            shard_embeddings=bool(settings.trainer.get("shard_embeddings")),
        )
        del module
        if is_collected:
            gc.collect()
            gc.unfreeze()
            release_free_memory()
        return report

    def _pretrain(self, model: nn.Module, train: Interactions, begin_stage: Callable[[str], None]) -> None:
        """Train each tower alone, then put them together."""
        towers = tower_settings(self.config, model)
        assert isinstance(model, PretrainsInTowers), "tower_settings refuses other models"
        for name, settings in towers.items():
            begin_stage(f"{name} tower")
            self.print_line(f"pre-training the {name} tower")
            alone = replace(
                self,
                config=settings,
                checkpoints=self._directory / name,
                listener=_tell_nobody,
                epochs=None if self.epochs is None else self.epochs.part(name),
            )
            alone._train(model.towers()[name], train)
        model.fuse()
        self.print_line("training the whole network")

    def _require_lists(self, model: RanksCandidates) -> None:
        """Refuse a training that is not one of lists."""
        from recsys.training.listwise import ListwiseModule

        if not issubclass(get_object(self.config.training._target_), ListwiseModule):
            raise ModelError(
                f"{type(model).__name__} ranks what other models retrieve, and is trained on lists of candidates. Use "
                "training=listwise; how its sources are trained is said in sources_training."
            )

    def _candidate_lists(self, model: RanksCandidates) -> CandidateLists:
        """Fit copies of the sources without each fold, which give the lists, and the sources themselves on everything.

        Raises:
            ModelError: the training is not one of lists, or the settings of a source do not exist.
        """
        config, split = self.config, self.split
        self._require_lists(model)
        settings = {name: source_settings(config, model, name) for name in model.source_models()}
        positives = split.train[self.view.positive[split.train]]
        divide = instantiate(config.stacking_folds)

        def folds(interactions: Interactions) -> list[IntArray]:
            held_out: list[IntArray] = divide(interactions)
            bar.expect(len(held_out) + 1)
            return held_out

        def fit_sources(sources: dict[str, nn.Module], held_out: IntArray, place: str) -> None:
            rows = f"without {place.replace('_', ' ')}" if len(held_out) else "on all rows"
            for name, source in sources.items():
                bar.describe(f"sources {rows}: {name}")
                self.print_line(f"fitting {name} {rows}")
                below = ("sources", place, name, CHECKPOINTS)
                fitter = replace(
                    self,
                    config=settings[name],
                    split=replace(split, train=np.setdiff1d(split.train, held_out)),
                    checkpoints=self._directory.joinpath(*below),
                    epochs=None if self.epochs is None else self.epochs.part(*below),
                    listener=_tell_nobody,
                )
                fitter.fit(source)
            bar.advance()

        assert isinstance(model, nn.Module), "every model is a network"
        with self._bar("sources") as bar:
            lists = stack(
                model,
                self.view.training_interactions(positives, rates=False),
                folds,
                instantiate(config.candidate_selector),
                lambda sources, held_out, place: fit_sources(sources, positives[held_out], place),
                training_device(config),
                config.seed,
            )
            fit_sources(model.source_models(), np.empty(0, dtype=np.int64), "all")
        model.observe_training(self.view.training_interactions(positives, rates=False))
        return lists


def _trainer(config: DictConfig) -> Callable[..., Any]:
    """What makes Lightning's trainer on the device and in the precision that are asked for.

    Raises:
        RunError: the device is not there, or has no products in the precision.
    """
    of_lightning = {name: value for name, value in config.trainer.items() if name != "shard_embeddings"}
    made: Callable[..., Any] = instantiate(
        of_lightning, accelerator=accelerator(config), precision=lightning_precision(config)
    )
    return made
