"""What every LightningModule of the framework shares: optimiser, validation by full ranking, and exact resume."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import pytorch_lightning as pl
import torch
from pytorch_lightning.core.optimizer import LightningOptimizer
from pytorch_lightning.plugins.precision import Precision
from pytorch_lightning.strategies import SingleDeviceStrategy
from pytorch_lightning.utilities.model_helpers import is_overridden
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from recsys.data.interactions import Interactions
from recsys.errors import ModelError, RecsysError, RunError
from recsys.evaluation.ranking import rank_users
from recsys.evaluation.ranking_task import RankingTask
from recsys.evaluation.states import RankingMetrics
from recsys.models.interface.protocols import Recommender
from recsys.training.batches import OrderedBatches, epoch_generator

OptimizerFactory = Callable[[Iterable[nn.Parameter]], Optimizer]
SchedulerFactory = Callable[[Optimizer], LRScheduler]

#: Steps of the optimiser in one call of ``training_step``.
STEPS_PER_CALL = 32

ProtocolT = TypeVar("ProtocolT")


def require(network: nn.Module, protocol: type[ProtocolT], why: str) -> ProtocolT:
    """``network`` as what can do ``protocol``.

    Raises:
        ModelError: it cannot.
    """
    if not isinstance(network, protocol):
        raise ModelError(
            f"{why} needs a model that is {protocol.__name__}, but {type(network).__name__} is not. "
            "Choose another model or another training=; docs/models.md says which go together."
        )
    return network


class RecommenderModule(pl.LightningModule):
    """Trains a network; subclasses choose the batches and the negatives.

    One call of ``training_step`` takes several steps of the optimiser: Lightning's own work between two calls takes as
    long as a step of a small model on the CPU.

    All randomness of an epoch is seeded by the run's seed and the epoch's number, so that training resumed from the
    end of an epoch gives the same weights as training that was never interrupted.

    Args:
        network: the model; a plain ``nn.Module``.
        interactions: training interactions.
        batch_size: positives (or users) in a step.
        optimizer: makes the optimiser from the parameters.
        scheduler: makes a learning-rate schedule from the optimiser, stepped once an epoch; None leaves the rate alone.
        validation: makes the validation task on a device; None trains without validation.
        validation_ks: cut-offs of the validation metrics.
        validation_batch_size: users ranked at once in validation.
        seed: seed of the run.
    """

    def __init__(
        self,
        network: nn.Module,
        interactions: Interactions,
        batch_size: int,
        optimizer: OptimizerFactory,
        scheduler: SchedulerFactory | None = None,
        validation: Callable[[torch.device], RankingTask] | None = None,
        validation_ks: tuple[int, ...] = (10,),
        validation_batch_size: int = 512,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        if len(interactions) == 0:
            raise RecsysError("Training needs at least one interaction, but the training part of the split is empty.")
        if batch_size < 1:
            raise RecsysError(f"A batch needs at least one row, but batch_size={batch_size}.")
        require(network, Recommender, "Validation")  # type: ignore[type-abstract]
        self.network = network
        self.interactions = interactions
        self.batch_size = batch_size
        self.seed = seed
        self._optimizer = optimizer
        self._scheduler = scheduler
        self._validation = validation
        self._validation_ks = validation_ks
        self._validation_batch_size = validation_batch_size
        self._loss_sum = torch.zeros(())
        self._loss_steps = 0
        self._backward: Callable[[Tensor], None] = self.manual_backward
        self.ranking_metrics = RankingMetrics(ks=validation_ks, num_items=interactions.num_items)

    @property
    def validation_metrics(self) -> list[str]:
        """Names of what validation logs."""
        return [f"valid/{name}" for name in self.ranking_metrics.names]

    def prepare_rows(self, rows: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """What can be computed for the rows of many steps at once, before the first of them."""
        return rows

    @abstractmethod
    def loss(self, batch: tuple[Tensor, ...]) -> Tensor:
        """The loss of the rows of one step, as :meth:`prepare_rows` gave them; a scalar."""

    @property
    def generator(self) -> torch.Generator:
        """Source of randomness of the current epoch, on the training device."""
        return self._generator

    def configure_optimizers(self) -> Any:
        """The injected optimiser and schedule.

        Raises:
            RecsysError: the optimiser refuses its settings.
        """
        try:
            optimizer = self._optimizer(self.network.parameters())
        except ValueError as error:
            raise RecsysError(f"The optimiser refuses its settings ({error}). Correct training.optimizer.*.") from error
        if self._scheduler is None:
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": self._scheduler(optimizer)}

    def on_train_start(self) -> None:
        """Choose the way backward: Lightning's own where it scales the loss, joins processes or calls somebody.

        Elsewhere it is PyTorch's with two rounds of empty hooks, which take a tenth of the time of a small step.
        """
        trainer = self.trainer
        hooks = ("on_before_backward", "on_after_backward")
        callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
        listened = any(
            is_overridden(hook, self) or any(is_overridden(hook, callback, pl.Callback) for callback in callbacks)
            for hook in hooks
        )
        alone = type(trainer.strategy) is SingleDeviceStrategy and type(trainer.precision_plugin) is Precision
        self._backward = Tensor.backward if alone and not listened else self.manual_backward

    def on_train_epoch_start(self) -> None:
        """Seed the epoch: negatives through a generator of their own, dropout through the global one."""
        self._generator = epoch_generator(self.seed, self.current_epoch, 1, self.device)
        torch.manual_seed(self._generator.initial_seed())
        self._loss_sum = torch.zeros((), device=self.device)
        self._loss_steps = 0

    def training_step(self, batch: tuple[Tensor, ...], batch_idx: int) -> None:
        """Some steps. The loss is summed on the device and read once an epoch, so that no step waits for it."""
        optimizer = self.optimizers()
        assert isinstance(optimizer, LightningOptimizer)
        columns = self.prepare_rows(batch)
        for rows in zip(*(column.split(self.batch_size) for column in columns), strict=True):
            loss = self.loss(rows)
            optimizer.zero_grad()
            self._backward(loss)
            optimizer.step()
            self._loss_sum += loss.detach()
            self._loss_steps += 1

    def mean_loss(self) -> float:
        """The mean loss of the steps of the current epoch."""
        return float(self._loss_sum / max(self._loss_steps, 1))

    def on_train_epoch_end(self) -> None:
        """Step the schedule; stop with a clear message when the loss is no longer a number.

        Raises:
            RunError: the loss is NaN or infinite.
        """
        schedule = self.lr_schedulers()
        if schedule is not None:
            assert isinstance(schedule, LRScheduler)
            schedule.step()
        mean = self.mean_loss()
        if not math.isfinite(mean):
            raise RunError(
                f"The training loss of epoch {self.current_epoch + 1} is {mean}; a finite loss is required. "
                "Lower training.optimizer.lr, raise the regularisation, or train in precision 32-true."
            )

    def val_dataloader(self) -> Iterable[Tensor]:
        """Slices of the validation users; empty where there is no validation."""
        if self._validation is None:
            return []
        self._validation_task = self._validation(self.device)
        return OrderedBatches(self._validation_task.users, self._validation_batch_size)

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        """Rank the whole catalogue for some users."""
        self.ranking_metrics.update(
            rank_users(self.network, self._validation_task, batch, max(self._validation_ks))  # type: ignore[arg-type]
        )

    def on_validation_epoch_end(self) -> None:
        """Log the validation metrics."""
        for name, value in self.ranking_metrics.compute().items():
            self.log(f"valid/{name}", value)
        self.ranking_metrics.reset()
