"""Training on positives with a few negatives drawn for each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from recsys.data.interactions import Interactions
from recsys.data.user_items import UserItems
from recsys.errors import SettingsError
from recsys.models.interface.protocols import ScoresPairs
from recsys.models.layers.embedding import Embedding
from recsys.training.batches import PermutationBatches
from recsys.training.compiled_step import CompileStep
from recsys.training.fused.choice import fused_loss, fused_steps
from recsys.training.l2 import l2_penalty
from recsys.training.losses import NegativesLoss
from recsys.training.module import STEPS_PER_CALL, OptimizerFactory, RecommenderModule, require
from recsys.training.negatives import NegativeSampler
from recsys.training.optimizers.keeps_rows import KeepsRows
from recsys.training.validation_sample import cost_of_step

if TYPE_CHECKING:
    from recsys.training.fused.steps import FusedSteps
    from recsys.training.fused.tower_steps import TowerSteps

#: The weight of the penalty where none is given.
DEFAULT_L2 = 0.01


class SampledNegativesModule(RecommenderModule):
    """Each positive of a batch is scored together with the negatives drawn for its user.

    Where interactions have weights, a positive is drawn in proportion to its weight.

    Args:
        network: scores pairs (``score_pairs``); for a penalty it has ``squared_norms`` as well, and perhaps
            ``score_pairs_with_norms``, which gives both in one pass, or ``factor_tables`` or ``pair_towers``, of which
            the loss and all gradients take one pass on the CPU; see :mod:`recsys.training.fused.choice`.
        interactions: training interactions, each one a positive.
        batch_size: positives in a step, B.
        optimizer: makes the optimiser from the parameters.
        negative_sampler: draws N negatives for each positive.
        loss: of positives and negatives.
        l2: weight of the squared norms of the vectors of each positive pair and its negatives, averaged over pairs.
            As a row is penalised each time that it is drawn, its regularisation grows with its frequency. None:
            :data:`DEFAULT_L2` for a network with ``squared_norms``, no penalty for others.
        compile_network: compile the scoring of pairs with ``torch.compile``.
        compile_step: compile the whole step instead, loss and optimiser together: ``auto`` on a GPU, unless updating
            the touched rows of a table alone costs less; see :mod:`recsys.training.compiled_step`.
        **options: of :class:`RecommenderModule`.
    """

    batch_unit: ClassVar[str] = "positives"
    learns_single_rows: ClassVar[bool] = True

    def __init__(
        self,
        network: nn.Module,
        interactions: Interactions,
        batch_size: int | Literal["auto"],
        optimizer: OptimizerFactory,
        negative_sampler: NegativeSampler,
        loss: NegativesLoss,
        l2: float | None = 0.0,
        compile_network: bool = False,
        compile_step: CompileStep = "auto",
        **options: Any,
    ) -> None:
        super().__init__(network, interactions, batch_size, optimizer, **options)
        self._negatives = negative_sampler
        self._loss = loss
        if compile_step not in ("auto", True, False) or (compile_step is True and compile_network):
            raise SettingsError(
                "training.compile_step must be auto, true or false, and training.compile_network=true has no place "
                f"beside true, but compile_step={compile_step} and compile_network={compile_network}. Correct one."
            )
        self.compile_step = False if compile_network else compile_step
        self._compiled = compile_network
        self._l2, self._norms = l2_penalty(network, l2, DEFAULT_L2)
        self._fused = None if compile_network else fused_loss(network, loss, self._l2, self._num_pairs)
        self._steps: FusedSteps | TowerSteps | None = None
        score_pairs = require(network, ScoresPairs, "Training on sampled negatives").score_pairs  # type: ignore[type-abstract]
        together = getattr(network, "score_pairs_with_norms", None)
        self._scores_and_norms = None if self._norms is None or compile_network else together
        self._score_pairs = torch.compile(score_pairs, dynamic=True) if compile_network else score_pairs

    def epoch_cost(self) -> float:
        """See :meth:`RecommenderModule.epoch_cost`: each positive with its negatives once."""
        return self._num_pairs * cost_of_step(self.network)

    @property
    def _num_pairs(self) -> int:
        return len(self.interactions) * (1 + self._negatives.num_negatives)

    def row_tables(self) -> list[Embedding]:
        """See :class:`RecommenderModule`; what is compiled reads tables whole."""
        return [] if self._compiled else super().row_tables()

    def train_dataloader(self) -> Iterable[tuple[Tensor, ...]]:
        """Slices of a permutation of the positives, as places among the known pairs, on the training device."""
        known = self.interactions if self.known_interactions is None else self.known_interactions
        self._known = UserItems.from_interactions(known, self.device)
        self._negatives.prepare(self._known)
        weight = self.interactions.weight
        return PermutationBatches(
            (self._known.places_of(self.interactions),),
            self.batch_size * STEPS_PER_CALL,
            self.seed,
            self.epoch,
            None if weight is None else torch.from_numpy(weight).to(self.device),
        )

    def batch_contents(self) -> str:
        """See :class:`RecommenderModule`: positives, and the samples that they are with their negatives."""
        samples = self.batch_size * (1 + self._negatives.num_negatives)
        return f"{super().batch_contents()}, {samples:,} samples with their negatives"

    def prepare_rows(self, rows: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Draw negatives: users, shape [B], and their positive followed by its negatives, shape [B, 1 + N]."""
        users, positives = self._known.pairs_at(*rows)
        return users, torch.cat([positives[:, None], self._negatives.draw(users, self.generator)], dim=1)

    def take_steps(self, rows: tuple[Tensor, ...], optimizer: KeepsRows) -> tuple[float, int] | None:
        """See :class:`RecommenderModule`."""
        if self._fused is None or type(self).loss is not SampledNegativesModule.loss:
            return None
        if self._steps is None or self._steps.optimizer is not optimizer:
            self._steps = fused_steps(self._fused, optimizer)
        if not self._steps.possible(self.batch_size, 1 + self._negatives.num_negatives):
            return None
        users, items = self.prepare_rows(rows)
        return self._steps.take(users, items, self.batch_size), -(-len(users) // self.batch_size)

    def loss(self, batch: tuple[Tensor, ...]) -> Tensor:
        """Compare the positives with their negatives."""
        users, items = batch
        takes_one_pass = self._fused is not None and not torch.compiler.is_compiling()
        fused = self._fused.loss(users, items) if takes_one_pass and self._fused is not None else None
        return self._plain_loss(users, items) if fused is None else fused

    def _plain_loss(self, users: Tensor, items: Tensor) -> Tensor:
        """The loss by operators of PyTorch, for any network and device."""
        if self._scores_and_norms is not None:
            scores, *norms = self._scores_and_norms(users[:, None], items)
        else:
            scores = self._score_pairs(users[:, None], items)
            norms = [] if self._norms is None else self._norms(users[:, None], items)
        loss = self._loss(scores[:, 0], scores[:, 1:], self._negatives.log_q(items[:, 1:]))
        if norms:
            user_norms, item_norms = norms
            loss = loss + self._l2 * (user_norms + item_norms).mean()
        return loss
