"""What every training of a network shares: its batches and its loss, its optimiser, and the randomness of an epoch.

Nothing here knows Lightning, whose import takes as long as all else: :mod:`recsys.training.lightning_training` runs it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from recsys.data.interactions import Interactions
from recsys.distributed.ranks import ranks
from recsys.errors import ModelError, SettingsError
from recsys.evaluation.batch_planner import users_per_batch
from recsys.evaluation.metrics import VALIDATION_METRICS
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.interface.protocols import ScoringModel
from recsys.models.layers.embedding import Embedding, trained_parameters
from recsys.training.batches import epoch_generator
from recsys.training.compiled_step import CompileStep
from recsys.training.optimizers.keeps_rows import KeepsRows

OptimizerFactory = Callable[[Iterable[nn.Parameter]], Optimizer]
SchedulerFactory = Callable[[Optimizer], LRScheduler]

#: Steps of the optimiser for which rows are drawn and prepared at once.
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


class RecommenderModule(nn.Module):
    """Says how a network is trained; subclasses choose the batches, the negatives and the loss.

    All randomness of an epoch is seeded by the run's seed and the epoch's number, so that training resumed from the
    end of an epoch gives the same weights as training that was never interrupted.

    Args:
        network: the model; a plain ``nn.Module``.
        interactions: training interactions.
        batch_size: positives (or users) in a step, of all ranks together; ``auto``: :attr:`auto_batch_sizes` of the
            device that trains.
        optimizer: makes the optimiser from the parameters.
        scheduler: makes a learning-rate schedule from the optimiser, stepped once an epoch; None leaves the rate alone.
        validation: makes the validation task on a device; None trains without validation.
        validation_ks: cut-offs of the validation metrics.
        validation_batch_size: users ranked at once in validation; None: as many as the device can well take.
        validation_users: users that validation ranks for at most, drawn once by the seed; None: all, unless that takes
            more than an epoch, see :mod:`recsys.training.validation_sample`.
        seed: seed of the run.

    Raises:
        SettingsError: there is no interaction, or batches are empty.
        ModelError: the network does not score.
    """

    #: Rows of a step where none are set, by the type of the device.
    auto_batch_sizes: ClassVar[Mapping[str, int]] = {"cpu": 2048, "cuda": 2**16}
    #: What a row of a batch is.
    batch_unit: ClassVar[str] = "rows"
    #: Whether a row is learned from by itself, so that some rows of a user may do; else whole users are needed.
    learns_single_rows: ClassVar[bool] = False
    #: Whether a step is compiled as a whole; see :mod:`recsys.training.compiled_step`.
    compile_step: CompileStep = False

    def __init__(
        self,
        network: nn.Module,
        interactions: Interactions,
        batch_size: int | Literal["auto"],
        optimizer: OptimizerFactory,
        scheduler: SchedulerFactory | None = None,
        validation: Callable[[torch.device], RankingTask] | None = None,
        validation_ks: tuple[int, ...] = (10,),
        validation_batch_size: int | None = None,
        validation_users: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if len(interactions) == 0:
            raise SettingsError("Training needs at least one interaction, but the training part of the split is empty.")
        if batch_size != "auto" and not (isinstance(batch_size, int) and batch_size >= 1):
            raise SettingsError(f"A batch needs at least one row, or is auto, but batch_size={batch_size}.")
        require(network, ScoringModel, "Validation")  # type: ignore[type-abstract]
        self.network = network
        self.interactions = interactions
        self._batch_size = batch_size
        self.seed = seed
        #: Makes the validation task on a device; None: there is none.
        self.validation = validation
        self.validation_ks = validation_ks
        self.validation_batch_size = validation_batch_size
        self.validation_users = validation_users
        # What follows is set by whoever trains the network, before it asks for batches.
        #: Device that the network is trained on.
        self.device = torch.device("cpu")
        #: Precision of the matrix products of a step, as ``torch.set_float32_matmul_precision`` takes it.
        self.product_precision = "highest"
        #: Whether each rank takes a part of a batch; otherwise all compute the same, each with a part of the tables.
        self.divides_batches = True
        #: State that the optimiser starts from, in PyTorch's form; None: it starts without one.
        self.optimizer_state: Mapping[str, Any] | None = None
        #: All training interactions, where steps are taken on some of them alone; None: on all.
        self.known_interactions: Interactions | None = None
        #: Gives the current epoch, from zero.
        self.epoch: Callable[[], int] = lambda: 0
        self._optimizer = optimizer
        self._scheduler = scheduler

    @property
    def batch_size(self) -> int:
        """Rows of a step, on :attr:`device`; of all ranks together."""
        sizes = self.auto_batch_sizes
        return sizes.get(self.device.type, sizes["cpu"]) if self._batch_size == "auto" else self._batch_size

    def batch_contents(self) -> str:
        """What a batch counts, in words."""
        return f"{self.batch_size:,} {self.batch_unit}"

    def batch_message(self) -> str:
        """The size of a step; where the device chose it, with a note that the learning rate was not changed with it."""
        usual = self.auto_batch_sizes["cpu"]
        told = f"a step takes {self.batch_contents()}"
        if self._batch_size != "auto" or self.batch_size == usual:
            return told
        return (
            f"{told}, {self.batch_size / usual:,.0f} times those of a processor, at the same learning rate: set "
            f"training.batch_size={usual} for the same training, or tune training.optimizer.lr, which may be larger"
        )

    @property
    def validation_metrics(self) -> list[str]:
        """Names of what validation measures."""
        return [f"valid/{name}@{k}" for k in self.validation_ks for name in VALIDATION_METRICS]

    def epoch_cost(self) -> float | None:
        """What the steps of an epoch cost, in pairs of a user and an item that a full ranking scores; None: unknown."""
        return None

    def users_per_validation_batch(self, num_items: int, k: int) -> int:
        """Users that validation ranks for at once.

        Args:
            num_items: size of the catalogue.
            k: list length.
        """
        return self.validation_batch_size or users_per_batch(self.device, num_items, k)

    @abstractmethod
    def train_dataloader(self) -> Iterable[Any]:
        """The rows of the epochs, for :meth:`steps`: some steps at once, a new order each time it is gone over."""

    def prepare_rows(self, rows: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """What can be computed for the rows of many steps at once, before the first of them."""
        return rows

    def steps(self, rows: Any) -> Iterable[Any]:
        """The batches of the single steps, from the rows of many: slices of what :meth:`prepare_rows` gives.

        Of several ranks each has its part of every batch, which may be empty, and all draw alike, so that together they
        take the steps of one.
        """
        batches = zip(*(column.split(self.batch_size) for column in self.prepare_rows(rows)), strict=True)
        if ranks().size == 1 or not self.divides_batches:
            return batches
        return (tuple(column[ranks().part(len(column))] for column in batch) for batch in batches)

    def count(self, batch: Any) -> int:
        """Of how many terms the loss of a batch is the mean: its rows."""
        return len(batch[0])

    def row_tables(self) -> list[Embedding]:
        """Tables of which an optimiser may update the touched rows alone: each is read through itself in training."""
        return [module for module in self.network.modules() if isinstance(module, Embedding)]

    def take_steps(self, rows: Any, optimizer: KeepsRows) -> tuple[float, int] | None:
        """Take the steps of some rows all at once, where that can be done; None: they are to be taken one by one.

        Args:
            rows: as :meth:`train_dataloader` gives them.
            optimizer: keeps the tables.

        Returns:
            The sum of the losses of the steps, and how many there were.
        """
        return None

    @abstractmethod
    def loss(self, batch: Any) -> Tensor:
        """The loss of one step, from a batch that :meth:`steps` gave; a scalar."""

    @property
    def generator(self) -> torch.Generator:
        """Source of randomness of the current epoch, on the training device."""
        return self._generator

    @property
    def own_generator(self) -> torch.Generator:
        """Source of randomness for the part of this rank alone."""
        return self._own_generator

    def begin_epoch(self) -> None:
        """Seed the epoch: negatives through a generator of their own, dropout through the global one."""
        self._generator = epoch_generator(self.seed, self.epoch(), 1, self.device)
        # All ranks draw the negatives of the joint batch, and each the dropout of its part.
        rank = ranks().rank if self.divides_batches else 0
        own = self._generator if rank == 0 else epoch_generator(self.seed, self.epoch(), 1 + rank, self.device)
        self._own_generator = own
        torch.manual_seed(own.initial_seed())

    def configure_optimizers(self) -> Any:
        """The injected optimiser and schedule, in the form that Lightning takes.

        Raises:
            SettingsError: the optimiser refuses its settings.
            ModelError: the state that it is to go on from is not its own.
        """
        try:
            optimizer = self._optimizer(trained_parameters(self.network))
        except ValueError as error:
            raise SettingsError(
                f"The optimiser refuses its settings ({error}). Correct training.optimizer.*."
            ) from error
        if self.optimizer_state is not None:
            try:
                optimizer.load_state_dict(dict(self.optimizer_state))
            except (ValueError, KeyError) as error:
                raise ModelError(
                    f"The optimiser must go on from a state of its own, but what is kept is another one ({error}). "
                    "Begin anew with optimizer=reset."
                ) from error
        if self._scheduler is None:
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": self._scheduler(optimizer)}
