"""Training on each interaction as the target of the history before it.

Shape suffixes: U users, I items, N interactions, W windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.data.user_items import UserItems
from recsys.distributed.ranks import ranks
from recsys.errors import SettingsError
from recsys.evaluation.top_k import top_k
from recsys.models.interface.protocols import Query, ScoringModel, SequenceEncoder
from recsys.models.layers.packed_windows import PackedWindows
from recsys.training.batches import HostBatches
from recsys.training.module import STEPS_PER_CALL, OptimizerFactory, RecommenderModule, require
from recsys.training.next_item_losses import NextItemLoss
from recsys.training.window_packing import PackedPositions, pack_windows

ORDERS = ("time", "random")


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

    auto_batch_sizes: ClassVar[Mapping[str, int]] = {"cpu": 128, "cuda": 1024}
    batch_unit: ClassVar[str] = "histories"

    def __init__(
        self,
        network: nn.Module,
        interactions: Interactions,
        batch_size: int | Literal["auto"],
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

    def train_dataloader(self) -> Iterable[Any]:
        """Slices of a permutation of the windows, which stay on the host, where they are packed."""
        self._known = UserItems.from_interactions(self.interactions, self.device)
        self._by_time = Histories.from_interactions(self.interactions, self.device)
        self._histories = self._by_time
        self._history_users = torch.repeat_interleave(
            torch.arange(len(self._by_time), device=self.device), self._by_time.counts
        )
        self._loss.prepare(self._known, torch.bincount(self._by_time.items, minlength=self.interactions.num_items))
        offsets = self._by_time.offsets.cpu()
        columns = windows(Histories(offsets, self._by_time.items[:0], None, None), self._encoder.max_history)
        self._window_users, self._starts, self._lengths = (column.numpy() for column in columns)
        timestamp = self._by_time.timestamp if self.order == "time" and self._encoder.uses_time_gaps else None
        self._time_gaps = None if timestamp is None else timestamp.diff(prepend=timestamp[:1]).float()
        # In a window that goes on from another one the first interaction has been a target there.
        self._continued = self._starts > offsets.numpy()[self._window_users]
        slice_size = self.batch_size * STEPS_PER_CALL
        return HostBatches((torch.arange(len(self._starts)),), slice_size, self.seed, self.epoch)

    @property
    def num_windows(self) -> int:
        """Windows of an epoch, once the batches are made."""
        return len(self._starts)

    def begin_epoch(self) -> None:
        """Draw the order of this epoch, and look up hard negatives with the weights of now."""
        super().begin_epoch()
        if self.order == "random":
            self._histories = self._shuffled()
        if (depth := getattr(self._loss, "hard_depth", 0)) > 0:
            self._loss.refresh(self._ranked(depth))

    def steps(self, rows: Any) -> Iterator[PackedPositions | None]:
        """Pack the windows of each step, on the host; None where another rank has all of them."""
        for first in range(0, len(rows), self.batch_size):
            of_step = rows[first : first + self.batch_size]
            of_step = of_step[ranks().part(len(of_step))] if self.divides_batches else of_step
            if len(of_step) == 0:
                yield None
                continue
            users, starts, lengths = (column[of_step] for column in (self._window_users, self._starts, self._lengths))
            yield pack_windows(users, starts, lengths, self._continued[of_step], self.device)

    def count(self, batch: PackedPositions | None) -> int:
        """See :class:`RecommenderModule`: its targets."""
        return 0 if batch is None else len(batch.targets)

    def loss(self, batch: PackedPositions) -> Tensor:
        """Predict every interaction of some windows."""
        encoder, before = self._encoder, self._histories.items_at(batch.positions)
        targets = self._histories.items_at(batch.targets)
        candidates = self._loss.candidates(targets, batch.target_users, self.own_generator)
        compared = None if candidates is None else torch.cat([targets, candidates])
        if compared is not None and before.numel() + len(compared) < self.interactions.num_items:
            # Fewer items than the catalogue has, though some of them more than once.
            vectors = encoder.item_vectors(torch.cat([before.flatten(), compared]))
            of_history, of_compared = vectors.split([before.numel(), len(compared)])
            of_history = of_history.unflatten(0, before.shape)
            matched = encoder.catalogue(of_compared, compared)
        else:
            vectors = encoder.item_vectors()
            of_history, matched = functional.embedding(before, vectors), encoder.catalogue(vectors)
            matched = matched if compared is None else functional.embedding(compared, matched)
        states = encoder.encode_windows(self._windows(batch), of_history)
        queries = states.flatten(0, 1).index_select(0, batch.predicting)
        return self._loss(queries, matched, targets, batch.target_users, candidates)

    def _windows(self, batch: PackedPositions) -> PackedWindows:
        """What else is known at the packed positions."""
        gaps, rating = self._time_gaps, self._histories.rating if self._encoder.uses_ratings else None
        return PackedWindows(
            batch.places,
            batch.windows,
            batch.users,
            None if rating is None else rating[batch.positions],
            None if gaps is None else gaps[batch.positions] * (batch.places > 1),
        )

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
        size = self.users_per_validation_batch(self.interactions.num_items, depth)
        for users in torch.arange(self.interactions.num_users, device=self.device).split(size):
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
