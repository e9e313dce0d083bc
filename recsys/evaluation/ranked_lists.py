"""The lists of all users of a task, made a batch at a time.

Shape suffixes: U users of the task, K list length.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from recsys.distributed.collectives import rows_of_ranks
from recsys.distributed.ranks import ranks
from recsys.evaluation.ranked_batch import scores_of_unseen
from recsys.evaluation.ranking_task import RankingTask
from recsys.evaluation.top_k import NO_ITEM, top_k
from recsys.evaluation.user_batches import UserBatch, UserBatches
from recsys.models.interface.protocols import ScoringModel


class TaskRanker:
    """Ranks the catalogue for all users of a task.

    The host waits for the device once a batch, for the ties at the end of lists; nothing is copied from it. Where a
    batch does not fit the memory of a GPU, the rest is done in batches of half the size.

    Of several ranks, each ranks for some of the batches that one process makes, and all get the lists of all users: a
    batch gives the same digits wherever it is computed.

    Args:
        task: the users, their histories and their seen items.
        k: list length, K.
        cold_items: items that are ranked among themselves as well, ascending, int64; None for none.
        cold_k: length of those lists.
    """

    def __init__(self, task: RankingTask, k: int, cold_items: Tensor | None = None, cold_k: int = 1) -> None:
        self._task = task
        self._k = k
        self._cold_items = cold_items
        self._cold_k = cold_k

    def make(
        self, model: ScoringModel, batch_size: int, ranked: Callable[[int], None] = lambda num_users: None
    ) -> EvaluatedLists:
        """The lists of all users; all ranks ask for them together.

        Args:
            model: scores the catalogue, on the device of the task.
            batch_size: users of a batch, the same on all ranks.
            ranked: called after each batch with the number of its users.

        Raises:
            ModelError: the scores of the model belong to another catalogue.
            torch.OutOfMemoryError: even one user does not fit.
        """
        parts = self.parts(batch_size)
        own = parts[ranks().rank]
        batches, lists = UserBatches(self._task, batch_size), self._empty(own.stop - own.start)
        start = own.start
        while start < own.stop:
            batch = batches.at(slice(start, min(start + batch_size, own.stop)))
            place = start - own.start
            try:
                self._rank(model, batch, lists, slice(place, place + len(batch)))
            except torch.OutOfMemoryError:
                if batch_size == 1:
                    raise
                batch_size = min(batch_size, len(batch)) // 2 or 1
                continue
            start += len(batch)
            ranked(len(batch))
        counts = [part.stop - part.start for part in parts]
        cold = None if lists.cold is None else rows_of_ranks(lists.cold, counts)
        return EvaluatedLists(rows_of_ranks(lists.items, counts), cold)

    def parts(self, batch_size: int) -> list[slice]:
        """The users that each rank ranks for, as many whole batches on all as can be."""
        num_users = len(self._task.users)
        batches = ranks().parts(-(-num_users // batch_size))
        ends = [(min(end * batch_size, num_users) for end in (part.start, part.stop)) for part in batches]
        return [slice(*part) for part in ends]

    def _empty(self, num_users: int) -> EvaluatedLists:
        def places(width: int) -> Tensor:
            return torch.full((num_users, width), NO_ITEM, dtype=torch.int32, device=self._task.users.device)

        return EvaluatedLists(places(self._k), None if self._cold_items is None else places(self._cold_k))

    @torch.inference_mode()
    def _rank(self, model: ScoringModel, batch: UserBatch, lists: EvaluatedLists, place: slice) -> None:
        scores = scores_of_unseen(model, self._task, batch, self._k, self._cold_items)
        lists.items[place] = top_k(scores, self._k, has_nan=False)[0]
        if self._cold_items is not None and lists.cold is not None:
            # A few columns: to settle all ties at once takes less than to wait for which rows have some.
            found, _ = top_k(scores.index_select(1, self._cold_items), self._cold_k, has_nan=False, settle_all=True)
            lists.cold[place] = torch.where(found >= 0, self._cold_items[found.clamp(min=0)], NO_ITEM)


@dataclass(frozen=True, slots=True, eq=False)
class EvaluatedLists:
    """Lists of all users of a task, in their order.

    Args:
        items: recommended items, best first, shape [U, K], int32; -1 means no item.
        cold: the same among the cold items alone, shape [U, K of these]; None where there is no such ranking.
    """

    items: Tensor
    cold: Tensor | None
