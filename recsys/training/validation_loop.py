"""The validation of a training: ranks the whole catalogue for its users, batch by batch, and measures the lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from recsys.distributed.ranks import ranks
from recsys.evaluation.ranked_batch import rank_users
from recsys.evaluation.ranking_task import RankingTask
from recsys.evaluation.states import RankingMetrics
from recsys.evaluation.user_batches import UserBatches
from recsys.training.batches import OrderedPlaces
from recsys.training.module import RecommenderModule
from recsys.training.validation_sample import num_validated, sample_note


class ValidationLoop:
    """Goes over the users of validation, of several ranks each over its part of every batch.

    Args:
        module: says what is validated, and how.
        metrics: of the lists; whoever made them moves them to the device.
    """

    def __init__(self, module: RecommenderModule, metrics: RankingMetrics) -> None:
        self._module = module
        self._metrics = metrics
        self.task: RankingTask | None = None

    def begin(self, device: torch.device, print_line: Callable[[str], None]) -> Iterable[slice]:
        """Choose the users.

        Args:
            device: of the training.
            print_line: receives a line where they are a sample.

        Returns:
            Where the users of each batch stand among them; empty where there is no validation.
        """
        module = self._module
        if module.validation is None:
            return []
        task = module.validation(device)
        module.device = device
        num_users, cost, wanted = len(task.users), module.epoch_cost(), module.validation_users
        drawn = num_validated(num_users, task.num_items, cost, wanted)
        if drawn < num_users:
            print_line(sample_note(drawn, num_users, task.num_items, cost, wanted))
            task = task.sampled(drawn, module.seed)
        self.task = task
        size = module.users_per_validation_batch(task.num_items, max(module.validation_ks))
        self._users = UserBatches(task, size)
        # Each rank has its part of every batch, so that all have as many of them.
        return OrderedPlaces(len(task.users), size * ranks().size)

    def rank(self, batch: slice) -> None:
        """Rank for the users of a batch: of several ranks each for its part of them."""
        part = ranks().part(batch.stop - batch.start)
        batch = slice(batch.start + part.start, batch.start + part.stop)
        if batch.stop == batch.start:
            return
        assert self.task is not None, "the loop has begun"
        network, depth = self._module.network, max(self._module.validation_ks)
        self._metrics.update(rank_users(network, self.task, self._users.at(batch), depth))  # type: ignore[arg-type]

    def end(self) -> dict[str, Tensor]:
        """What was measured, by name."""
        values = {f"valid/{name}": value for name, value in self._metrics.compute().items()}
        self._metrics.reset()
        return values
