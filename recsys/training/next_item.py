"""Training on each interaction as the target of the history before it.

Shape suffixes: B windows of a batch, L positions, M targets of a batch, U users, I items, N interactions, W windows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.data.user_items import UserItems
from recsys.errors import SettingsError
from recsys.evaluation.top_k import top_k
from recsys.models.interface.protocols import Query, ScoringModel, SequenceEncoder
from recsys.models.layers.padded_histories import PaddedHistories
from recsys.training.batches import PermutationBatches
from recsys.training.module import STEPS_PER_CALL, OptimizerFactory, RecommenderModule, require
from recsys.training.next_item_losses import NextItemLoss

ORDERS = ("time", "random")
#: Parts of a batch by length, each padded to its own longest window.
LENGTH_GROUPS = 4


class NextItemModule(RecommenderModule):
    """Every training interaction is a target once an epoch, given what its user did before and nothing after.

    Histories are cut into windows of ``max_history`` interactions and the one that comes next; a step takes some
    windows and predicts all of their interactions at once. Each counts once: weights of interactions are not used, as
    how much was taken at once says nothing of what comes next.

    Args:
        network: encodes positions.
        interactions: training interactions, each one a positive.
        batch_size: windows in a step, B.
        optimizer: makes the optimiser from the parameters.
        next_item_loss: of targets against the catalogue.
        order: ``time``, oldest first, which predicts what comes next; ``random``, anew in each epoch, which predicts
            what belongs to the rest; None: by time where the interactions have timestamps.
        **options: of :class:`RecommenderModule`.

    Raises:
        SettingsError: there is no such order, or it is ``time`` and the interactions have no timestamps.
    """

    def __init__(
        self,
        network: nn.Module,
        interactions: Interactions,
        batch_size: int,
        optimizer: OptimizerFactory,
        next_item_loss: NextItemLoss,
        order: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(network, interactions, batch_size, optimizer, **options)
        timed = interactions.timestamp is not None
        if order is not None and order not in ORDERS:
            raise SettingsError(f"training.order must be null, {' or '.join(ORDERS)}, but it is {order}. Correct it.")
        if order == "time" and not timed:
            raise SettingsError(
                "training.order=time needs interactions with timestamps, but these data have none. Set "
                "training.order=random, or give a timestamp column."
            )
        self.order = order or ("time" if timed else "random")
        self._loss = next_item_loss
        self._encoder = require(network, SequenceEncoder, "Training on the targets of histories")  # type: ignore[type-abstract]
        if (observe_training := getattr(network, "observe_training", None)) is not None:
            observe_training(interactions)

    def train_dataloader(self) -> Iterable[tuple[Tensor, ...]]:
        """Slices of a permutation of the windows, on the training device."""
        self._known = UserItems.from_interactions(self.interactions, self.device)
        self._by_time = Histories.from_interactions(self.interactions, self.device)
        self._histories = self._by_time
        self._history_users = torch.repeat_interleave(
            torch.arange(len(self._by_time), device=self.device), self._by_time.counts
        )
        self._loss.prepare(self._known, torch.bincount(self._by_time.items, minlength=self.interactions.num_items))
        self._window_users, self._starts, self._lengths = windows(self._by_time, self._encoder.max_history)
        return PermutationBatches(
            (torch.arange(len(self._starts), device=self.device),),
            self.batch_size * STEPS_PER_CALL,
            self.seed,
            self.epoch,
        )

    def begin_epoch(self) -> None:
        """Draw the order of this epoch, and look up hard negatives with the weights of now."""
        super().begin_epoch()
        if self.order == "random":
            self._histories = self._shuffled()
        if (depth := getattr(self._loss, "hard_depth", 0)) > 0:
            self._loss.refresh(self._ranked(depth))

    def loss(self, batch: tuple[Tensor, ...]) -> Tensor:
        """Predict every interaction of some windows.

        Windows of like length are encoded together, so that little of the work goes into padding.
        """
        (rows,) = batch
        item_vectors = self._encoder.item_vectors()
        by_length = rows[self._lengths[rows].argsort(stable=True)]
        groups = [self._targets(group, item_vectors) for group in by_length.chunk(LENGTH_GROUPS)]
        queries, targets, users = (torch.cat(parts) for parts in zip(*groups, strict=True))
        return self._loss(queries, self._encoder.catalogue(item_vectors), targets, users, self.generator)

    def _targets(self, rows: Tensor, item_vectors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The query vector of each target of some windows, shape [M, E], the target and its user, shape [M] each."""
        starts, lengths, users = self._starts[rows], self._lengths[rows], self._window_users[rows]
        window = PaddedHistories.cut(self._histories, starts, lengths)
        # The last interaction is a target only; what is encoded before it is encoded once for all of them.
        given = PaddedHistories.cut(self._histories, starts, lengths - 1)
        queries = self._encoder.encode_positions(users, given, item_vectors)
        column = torch.arange(window.items.shape[1], device=rows.device)
        # In a window that goes on from another one the first interaction has been a target there.
        first = (starts > self._histories.offsets[users]).long()
        is_target = (column >= first[:, None]) & (column < lengths[:, None])
        return queries[is_target], window.items[is_target], users[:, None].expand_as(window.items)[is_target]

    def _shuffled(self) -> Histories:
        """The histories, each in a new random order."""
        draws = torch.rand(len(self._by_time.items), generator=self.generator, device=self.device)
        order = draws.argsort()
        order = order[self._history_users[order].argsort(stable=True)]
        rating = self._by_time.rating
        return Histories(
            self._by_time.offsets, self._by_time.items[order], None if rating is None else rating[order], None
        )

    @torch.no_grad()
    def _ranked(self, depth: int) -> Tensor:
        """What the network now ranks highest for each user among what they have not, shape [U, depth]."""
        network = self.network
        assert isinstance(network, ScoringModel), "checked at the start"
        network.eval()
        lists = []
        for users in torch.arange(self.interactions.num_users, device=self.device).split(self.validation_batch_size):
            scores = network.score(Query(users, self._by_time.take(users))).clone()
            scores[self._known.pairs_of(users)] = float("-inf")
            lists.append(top_k(scores, depth)[0])
        network.train()
        return torch.cat(lists)


def windows(histories: Histories, max_history: int) -> tuple[Tensor, Tensor, Tensor]:
    """Cut histories into windows of at most ``max_history + 1`` interactions, from their ends.

    The first interaction of a window is the last of the one before it, so that each is a target in one window only.

    Args:
        histories: one for each user.
        max_history: interactions that are encoded before a target.

    Returns:
        User, position in ``histories.items`` of the first interaction, and number of interactions of each window, each
        of shape [W], int64.
    """
    counts = histories.counts
    # The first window takes up to max_history + 1 interactions, every further one adds max_history.
    num_windows = torch.where(counts > 0, (counts - 2).clamp(min=0) // max_history + 1, 0)
    users = torch.repeat_interleave(torch.arange(len(histories), device=counts.device), num_windows)
    before = num_windows.cumsum(0) - num_windows
    from_end = torch.arange(len(users), device=counts.device) - before[users]
    stops = histories.offsets[1:][users] - from_end * max_history
    starts = torch.maximum(stops - max_history - 1, histories.offsets[users])
    return users, starts, stops - starts
