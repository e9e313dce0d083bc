"""Training on lists of candidates that other models have scored.

Shape suffixes: B lists of a batch, C candidates of each, I items of the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from recsys.data.interactions import Interactions
from recsys.errors import SettingsError
from recsys.models.interface.protocols import RanksCandidates
from recsys.training.batches import PermutationBatches
from recsys.training.listwise_losses import ListwiseLoss
from recsys.training.module import STEPS_PER_CALL, OptimizerFactory, RecommenderModule, require
from recsys.training.stacking import CandidateLists


class ListwiseModule(RecommenderModule):
    """Each list is of one user: what was held out, among what was not.

    Negatives that the user has probably been shown tell more than others. Where there is no log of what was shown, the
    popularity of an item stands for it: a negative counts ``w_n = (share of interactions of item n)^e`` in the loss,
    divided by the mean over the negatives of its list (cf. He, Zhang, Kan, Chua: Fast Matrix Factorization for Online
    Recommendation, 2016).

    Args:
        network: ranks candidates; its sources are fitted already, and stay as they are.
        interactions: training interactions, each one a positive.
        batch_size: lists in a step, B.
        optimizer: makes the optimiser from the parameters.
        lists: what to learn from.
        listwise_loss: of lists.
        exposure_exponent: e; 0: every negative counts the same.
        **options: of :class:`RecommenderModule`.

    Raises:
        SettingsError: there are no lists: ``lists`` is missing.
    """

    auto_batch_sizes: ClassVar[Mapping[str, int]] = {"cpu": 64, "cuda": 1024}
    batch_unit: ClassVar[str] = "lists"

    def __init__(
        self,
        network: nn.Module,
        interactions: Interactions,
        batch_size: int | Literal["auto"],
        optimizer: OptimizerFactory,
        listwise_loss: ListwiseLoss,
        lists: CandidateLists | None = None,
        exposure_exponent: float = 0.0,
        **options: Any,
    ) -> None:
        ranker = require(network, RanksCandidates, "Training on lists of candidates")  # type: ignore[type-abstract]
        if lists is None:
            raise SettingsError(
                "Training on lists of candidates needs lists. Pass lists=, as recsys.training.stacking makes."
            )
        super().__init__(network, interactions, batch_size, optimizer, **options)
        for source in ranker.source_models().values():
            source.requires_grad_(False)
        self._rank = ranker.rank
        self._lists = lists
        self._loss = listwise_loss
        counts = np.bincount(interactions.item_index, minlength=interactions.num_items) + 1.0
        self._exposure = torch.from_numpy(exposure_exponent * np.log(counts / counts.sum())).float()

    def train_dataloader(self) -> Iterable[tuple[Tensor, ...]]:
        """Slices of a permutation of the lists, on the training device."""
        lists = self._lists
        exposure = self._exposure.to(lists.items.device)[lists.items]
        negative = lists.present & ~lists.relevant
        exposure = exposure.masked_fill(~negative, -torch.inf)
        mean = torch.logsumexp(exposure, dim=1, keepdim=True) - negative.sum(1, keepdim=True).log()
        columns = (lists.users, lists.items, lists.relevant, exposure - mean, lists.described)
        return PermutationBatches(
            tuple(column.to(self.device) for column in columns),
            self.batch_size * STEPS_PER_CALL,
            self.seed,
            self.epoch,
        )

    def loss(self, batch: tuple[Tensor, ...]) -> Tensor:
        """Rank the candidates of some lists."""
        users, items, relevant, log_weights, described = batch
        return self._loss(self._rank(described, users, items), relevant, log_weights)
