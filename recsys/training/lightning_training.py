"""The LightningModule that runs a training as Lightning's hooks come: steps, the schedule, validation."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.core.optimizer import LightningOptimizer
from pytorch_lightning.plugins.precision import Precision
from pytorch_lightning.strategies import SingleDeviceStrategy
from pytorch_lightning.utilities.model_helpers import is_overridden
from torch import Tensor
from torch.optim.lr_scheduler import LRScheduler

from recsys.distributed.collectives import counts_of_ranks, sum_over_ranks
from recsys.distributed.ranks import ranks
from recsys.errors import RunError, SettingsError
from recsys.evaluation.states import RankingMetrics
from recsys.training.batches import PermutationBatches
from recsys.training.compiled_step import CompiledStep, compiles_step
from recsys.training.module import STEPS_PER_CALL, RecommenderModule
from recsys.training.optimizers.keeps_rows import KeepsRows
from recsys.training.ranks.gradient_exchange import GradientExchange
from recsys.training.ranks.sharded_tables import ShardedTables
from recsys.training.ranks.strategy import RankStrategy, RowShardedStrategy
from recsys.training.validation_loop import ValidationLoop

_AROUND_BACKWARD = ("on_before_backward", "on_after_backward")
_WITHIN_STEP = (*_AROUND_BACKWARD, "on_before_zero_grad", "on_before_optimizer_step")


class LightningTraining(pl.LightningModule):
    """Trains the network of a :class:`~recsys.training.module.RecommenderModule` as that says.

    One call of ``training_step`` takes several steps of the optimiser: Lightning's own work between two calls takes as
    long as a step of a small model on the CPU.

    Its weights are those of ``module``, by the same names.

    Args:
        module: batches, loss and optimiser.
    """

    def __init__(self, module: RecommenderModule) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.module = module
        self._loss_sum = torch.zeros(())
        self._loss_steps = 0
        self._backward: Callable[[Tensor], None] = self.manual_backward
        self._takes_many = False
        self._rows: int | None = None
        self._row_optimizer: KeepsRows | None = None
        self._exchange: GradientExchange | None = None
        #: Of the network, where their rows are divided among ranks.
        self.tables: ShardedTables | None = None
        self._bytes_told = False
        self._compiled_step: CompiledStep | None = None
        #: Receives what is to be said about the validation.
        self.print_line: Callable[[str], None] = lambda text: None
        #: Called after each step of the optimiser.
        self.after_step: Callable[[], None] = lambda: None
        self.ranking_metrics = RankingMetrics(ks=module.validation_ks, num_items=module.interactions.num_items)
        self.validation = ValidationLoop(module, self.ranking_metrics)

    def configure_optimizers(self) -> Any:
        """Those of the module."""
        return self.module.configure_optimizers()

    def train_dataloader(self) -> Iterable[Any]:
        """The batches of the module, made for the training device."""
        self.module.device = self.device
        self.module.epoch = lambda: self.current_epoch
        batches = self.module.train_dataloader()
        self._rows = batches.num_rows if isinstance(batches, PermutationBatches) else None
        return batches

    def num_steps(self, calls: float) -> int | None:
        """Steps of the optimiser in an epoch; None where the batches do not tell it.

        Args:
            calls: of ``training_step`` that the trainer makes in an epoch at most.
        """
        return (
            None if self._rows is None else int(min(calls * STEPS_PER_CALL, -(-self._rows // self.module.batch_size)))
        )

    def on_train_start(self) -> None:
        """Tell what a batch counts, and choose the way backward.

        That is Lightning's own where it scales the loss, joins processes or calls somebody. Elsewhere it is
        PyTorch's: two rounds of empty hooks take a tenth of the time of a small step.
        """
        trainer = self.trainer
        if ranks().size > 1 and threading.current_thread() is threading.main_thread():
            # Lightning's handler speaks with the other ranks, which waits for ever for one that is gone.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        ours = type(trainer.strategy) in (SingleDeviceStrategy, RankStrategy, RowShardedStrategy)
        alone = ours and type(trainer.precision_plugin) is Precision
        self._backward = Tensor.backward if alone and not self._listened(_AROUND_BACKWARD) else self.manual_backward
        # Where nobody listens to single steps, all of a call may be one loop.
        self._takes_many = alone and not self._listened(_WITHIN_STEP)
        self.print_line(f"{self.module.batch_message()}{self._shared()}")
        optimizer = getattr(self.optimizers(), "optimizer", None)
        if alone and isinstance(optimizer, KeepsRows):
            self._row_optimizer = optimizer
            for table in self.module.row_tables():
                optimizer.keep(table)
        if ranks().size > 1 and self.tables is None:
            self._exchange = GradientExchange(self.module.network.parameters(), self.module.row_tables())
        self._compile_step(optimizer)

    def _listened(self, hooks: Iterable[str]) -> bool:
        """Whether a callback waits to be called at one of these moments."""
        callbacks: list[pl.Callback] = self.trainer.callbacks  # type: ignore[attr-defined]
        return any(is_overridden(hook, callback, pl.Callback) for callback in callbacks for hook in hooks)

    def _compile_step(self, optimizer: Any) -> None:
        """Have steps compiled as a whole, where the module asks for that and nobody listens to what is in them."""
        module, trainer = self.module, self.trainer
        rows = self._row_optimizer
        by_rows = rows is not None and rows.costs_less_by_rows(module.batch_size)
        if not compiles_step(module.compile_step, self.device, by_rows):
            return
        listened = self._listened(_WITHIN_STEP)
        scaled = getattr(trainer.precision_plugin, "scaler", None) is not None
        if listened or scaled or type(trainer.strategy) is not SingleDeviceStrategy:
            if module.compile_step is True:
                raise SettingsError(
                    "training.compile_step=true needs a single device, no scaled loss and no callback that looks into "
                    "a step. Set training.compile_step=false, or change trainer.*."
                )
            return
        self.release_rows()
        self._row_optimizer = None
        otherwise = None if module.compile_step is True else lambda reason: self.print_line(reason)
        self._compiled_step = CompiledStep(module.loss, optimizer, otherwise)

    def _tell_bytes(self) -> None:
        """Say once what each rank holds of the tables, when the optimiser has its state."""
        if self.tables is not None and not self._bytes_told:
            optimizer = self.optimizers()
            assert isinstance(optimizer, LightningOptimizer)
            held = [count for (count,) in counts_of_ranks([self.tables.bytes_held(optimizer.optimizer)])]
            each = ", ".join(f"{count / 1e6:,.1f}" for count in held)
            self.print_line(f"tables and what the optimiser keeps of them: {each} MB of {sum(held) / 1e6:,.1f} MB")
            self._bytes_told = True

    def _shared(self) -> str:
        """What several processes share, in words."""
        if self.tables is not None:
            return f", the same in {ranks().size} processes, each with a part of the tables"
        return f", shared by {ranks().size} processes" if ranks().size > 1 else ""

    def catch_up_rows(self) -> None:
        """Bring all rows of all tables to where every step so far would have left them, before they are read."""
        if self._row_optimizer is not None:
            self._row_optimizer.catch_up_all()

    def release_rows(self) -> None:
        """Leave a network whose rows are all current, and that any optimiser can go on with."""
        if self._row_optimizer is not None:
            self._row_optimizer.release()

    def configure_model(self) -> None:
        """Have each rank hold some rows of the tables, and all compute the same batches, where the strategy asks so.

        Raises:
            RunError: the network has no tables.
        """
        if isinstance(self.trainer.strategy, RowShardedStrategy) and self.tables is None:
            assert self.device_mesh is not None, "the strategy has made it"
            self.tables = ShardedTables(self.module.network, "network.", self.device_mesh["tensor_parallel"])
            self.module.divides_batches = False

    def bring_tables_together(self) -> None:
        """Leave a whole network on each rank."""
        if self.tables is not None:
            self.tables.together()
            self.module.network.cpu()  # where the tables are now
            self.tables, self.module.divides_batches = None, True

    def on_fit_end(self) -> None:
        """Leave rows that are all current."""
        self.release_rows()

    def on_validation_start(self) -> None:
        """Have the whole network ready for validation."""
        self.catch_up_rows()
        if self.tables is not None:
            self.tables.open()

    def on_validation_end(self) -> None:
        """Go on with the rows of this rank."""
        if self.tables is not None:
            self.tables.close()

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Leave batches where the module made them: on the device, or on the host where that packs them."""
        return batch

    def on_train_epoch_start(self) -> None:
        """Begin the epoch of the module."""
        self.module.begin_epoch()
        self._loss_sum = torch.zeros((), device=self.device)
        self._loss_steps = 0

    def training_step(self, batch: Any, batch_idx: int) -> None:
        """Some steps. The loss is summed on the device and read once an epoch, so that no step waits for it."""
        with _products(self.module.product_precision):
            if self._exchange is None:
                self._take_steps(batch)
            else:
                self._take_joint_steps(batch, self._exchange)
        if self._exchange is not None and self.trainer.is_last_batch:
            sum_over_ranks(self._loss_sum)

    def _take_steps(self, batch: Any) -> None:
        module, optimizer = self.module, self.optimizers()
        assert isinstance(optimizer, LightningOptimizer)
        if self._row_optimizer is not None and self._takes_many and self.tables is None:
            taken = module.take_steps(batch, self._row_optimizer)
            if taken is not None:
                self._note_steps(*taken)
                return
        for step in module.steps(batch):
            if self._compiled_step is None:
                loss = module.loss(step)
                optimizer.zero_grad()
                self._backward(loss)
                if self.tables is not None:
                    self.tables.agree()
                optimizer.step()
            else:
                optimizer._on_before_step()  # by which Lightning counts the steps
                loss = self._compiled_step(step)
                optimizer._on_after_step()
            self._loss_sum += loss.detach()
            self._loss_steps += 1
            self.after_step()

    def _take_joint_steps(self, batch: Any, exchange: GradientExchange) -> None:
        """The same as one of several ranks, each of which has a part of every batch."""
        module, optimizer = self.module, self.optimizers()
        assert isinstance(optimizer, LightningOptimizer)
        for step in module.steps(batch):
            optimizer.zero_grad()
            count, loss = module.count(step), None
            if count > 0:
                loss = module.loss(step)
                self._backward(loss)
            share = exchange.exchange(count)
            optimizer.step()
            if loss is not None:
                self._loss_sum += loss.detach() * share
            self._loss_steps += 1
            self.after_step()

    def _note_steps(self, loss_sum: float, count: int) -> None:
        """Take note of steps that were taken without Lightning."""
        self._loss_sum += loss_sum
        self._loss_steps += count
        progress = self.trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress
        for counted in (progress.total, progress.current):
            counted.ready += count
            counted.completed += count
        assert self._row_optimizer is not None, "it took the steps"
        # As its own steps would say: without it PyTorch warns that the schedule came first.
        self._row_optimizer._opt_called = True  # type: ignore[attr-defined]
        for _ in range(count):
            self.after_step()

    def mean_loss(self) -> float:
        """The mean loss of the steps of the current epoch."""
        return float(self._loss_sum / max(self._loss_steps, 1))

    def on_train_epoch_end(self) -> None:
        """Step the schedule; stop with a clear message when the loss is no longer a number.

        Raises:
            RunError: the loss is NaN or infinite.
        """
        self.catch_up_rows()
        self._tell_bytes()
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

    def val_dataloader(self) -> Iterable[slice]:
        """The batches of users of validation; empty where there is none."""
        return self.validation.begin(self.device, self.print_line)

    def validation_step(self, batch: slice, batch_idx: int) -> None:
        """Rank the whole catalogue for some users."""
        self.validation.rank(batch)

    def on_validation_epoch_end(self) -> None:
        """Log the validation metrics."""
        self.log_dict(self.validation.end())

    def state_dict(self, *args: Any, **options: Any) -> Any:
        """That of the module, so that checkpoints are the same whatever runs the training."""
        self.catch_up_rows()
        return self.module.state_dict(*args, **options)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Load the weights of the module."""
        return self.module.load_state_dict(state_dict, strict=strict, assign=assign)


@contextmanager
def _products(precision: str) -> Iterator[None]:
    """Multiply matrices of single precision in ``precision``, and as before afterwards."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
