"""Training on whole rows: every item that a user has not interacted with is a negative, none is sampled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from recsys.data.interactions import Interactions
from recsys.data.user_items import UserItems
from recsys.errors import ModelError
from recsys.models.layers.embedding import Embedding
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.training.batches import PermutationBatches
from recsys.training.l2 import l2_penalty
from recsys.training.losses import CatalogueLoss
from recsys.training.module import STEPS_PER_CALL, OptimizerFactory, RecommenderModule

#: The weight of the penalty where none is given.
DEFAULT_L2 = 0.005


class FullCatalogueModule(RecommenderModule):
    """A batch is some users with all their positives, scored against the whole catalogue in one matrix product.

    A positive counts by the sum of the weights of its interactions, where they have weights.

    For catalogues of up to some ten thousand items this is faster than sampling, as one product replaces many
    gathers, and it has no sampling noise.

    Args:
        network: scores rows (``score_catalogue``); for a penalty it has ``squared_norms`` as well.
        interactions: training interactions, each one a positive.
        batch_size: users in a step, B.
        optimizer: makes the optimiser from the parameters.
        catalogue_loss: of whole rows.
        l2: weight lambda of the squared norms of the vectors, ``lambda * (n_u + alpha I)`` for a user with n_u
            positives and ``lambda * (n_i + alpha U)`` for an item with n_i, so that who appears more often is held more
            firmly (the frequency-scaled regularisation of Rendle et al.: Revisiting the Performance of iALS, 2021).
            None: :data:`DEFAULT_L2` for a network with ``squared_norms``, no penalty for others.
        l2_unobserved: alpha, what a pair without interaction counts in that frequency.
        compile_network: compile the scoring of rows with ``torch.compile``.
        **options: of :class:`RecommenderModule`.
    """

    auto_batch_sizes: ClassVar[Mapping[str, int]] = {"cpu": 256, "cuda": 2048}
    batch_unit: ClassVar[str] = "users"

    def __init__(
        self,
        network: nn.Module,
        interactions: Interactions,
        batch_size: int | Literal["auto"],
        optimizer: OptimizerFactory,
        catalogue_loss: CatalogueLoss,
        l2: float | None = 0.0,
        l2_unobserved: float = 0.3,
        compile_network: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(network, interactions, batch_size, optimizer, **options)
        self._loss = catalogue_loss
        self._compiled = compile_network
        self._l2, self._norms = l2_penalty(network, l2, DEFAULT_L2)
        score_catalogue = _catalogue_scorer(network)
        self._score_catalogue = torch.compile(score_catalogue, dynamic=True) if compile_network else score_catalogue
        self._l2_unobserved = l2_unobserved

    def row_tables(self) -> list[Embedding]:
        """See :class:`RecommenderModule`; what is compiled reads tables whole."""
        return [] if self._compiled else super().row_tables()

    def train_dataloader(self) -> Iterable[tuple[Tensor, ...]]:
        """Slices of a permutation of the users with positives, on the training device."""
        self._positives = UserItems.from_interactions(self.interactions, self.device)
        self._catalogue = torch.arange(self.interactions.num_items, device=self.device)
        num_users, num_items = self.interactions.num_users, self.interactions.num_items
        self._counts, item_counts = self._positives.counts, self._positives.item_counts()
        self._weights = None
        self._total: float = len(self._positives)
        if self.interactions.weight is not None:
            matrix = InteractionMatrix.from_interactions(self.interactions, self.device)
            self._weights, self._total = matrix.values, float(matrix.values.double().sum())
            self._counts, item_counts = matrix.row_sums(), matrix.column_sums()
        self._user_weight = self._counts + self._l2_unobserved * num_items
        self._item_weight = item_counts + self._l2_unobserved * num_users
        self._users = self._positives.counts.nonzero().squeeze(1)
        return PermutationBatches(
            (self._users,),
            self.batch_size * STEPS_PER_CALL,
            self.seed,
            self.epoch,
        )

    def loss(self, batch: tuple[Tensor, ...]) -> Tensor:
        """Score the users' whole rows."""
        (users,) = batch
        rows, items = self._positives.pairs_of(users)
        counts = self._counts[users]
        scores = self._score_catalogue(users)
        weights = () if self._weights is None else (self._weights[self._positives.positions_of(users)],)
        loss = self._loss(scores, rows, items, counts, *weights)
        # All terms are divided by the positives that a batch of this size has on average, so that the loss is one for
        # each positive, and batches with busy users weigh more.
        share = len(users) / len(self._users)
        if self._norms is not None:
            user_norms, item_norms = self._norms(users, self._catalogue)
            user_penalty = (user_norms * self._user_weight[users]).sum()
            loss = loss + self._l2 * (user_penalty + share * (item_norms * self._item_weight).sum())
        return loss / (share * self._total)


def _catalogue_scorer(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """What scores whole rows of known users, with gradients.

    Raises:
        ModelError: the network does not.
    """
    scorer: Callable[[Tensor], Tensor] | None = getattr(network, "score_catalogue", None)
    if scorer is None:
        raise ModelError(
            f"Training on the full catalogue needs a model with score_catalogue, but {type(network).__name__} has "
            "none. "
            "Choose another model or another training=; docs/models.md says which go together."
        )
    return scorer
