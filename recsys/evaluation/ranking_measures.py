"""Metrics of the lists of all users, some users at a time, and what they add up to.

Shape suffixes: B users measured at once, U evaluated users, I items, K list length, M measures, F content features.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from recsys.data.interactions import IntArray
from recsys.evaluation.catalogue import (
    ContentDirections,
    coverage,
    exposure_counts,
    gini,
    intra_list_diversity,
    novelty,
    self_information,
)
from recsys.evaluation.item_segments import ItemSegments
from recsys.evaluation.means import FloatArray, mean_over_users
from recsys.evaluation.metrics import RANKING_METRICS
from recsys.evaluation.ranked_lists import EvaluatedLists
from recsys.evaluation.ranking_result import RankingResult
from recsys.evaluation.ranking_task import RankingTask
from recsys.evaluation.segments import (
    COLD_STATUSES,
    ITEM_COLD_STATUS,
    ITEM_POPULARITIES,
    ITEM_POPULARITY,
    USER_ACTIVITIES,
    USER_ACTIVITY,
    USER_COLD_STATUS,
    Segment,
    cold_status_of,
    item_popularity_of,
    segment_means,
    user_activity_of,
)
from recsys.evaluation.statistics.significance import bootstrap_intervals
from recsys.evaluation.target_segments import TargetSegments

#: Metrics by segment of users.
_SEGMENT_METRICS = ("recall", "ndcg", "hit_rate")

#: Metrics of the ranking of cold items alone, and the prefix of their names.
_COLD_METRICS = ("recall", "ndcg", "hit_rate")
COLD_CATALOGUE = "cold_catalogue"

#: Users that are measured at once: on the CPU their numbers stay in the caches, on a GPU launches are few.
_USERS_AT_ONCE = {"cpu": 2**10, "cuda": 2**17}


class RankingMeasures:
    """Measures lists, and aggregates the measures.

    Metrics need the lists and no scores, so that they are computed after the ranking, for many more users at once than
    are ranked for at once. Means are taken over all users together: nothing depends on the batches.

    Args:
        ks: cut-offs, ascending.
        segment_k: cut-off for segments.
        task: the users and what is to be found.
        item_vectors: content vectors of the catalogue, shape [I, F]; None leaves diversity out.
    """

    def __init__(self, ks: tuple[int, ...], segment_k: int, task: RankingTask, item_vectors: Tensor | None) -> None:
        self._task = task
        self._ks = ks
        #: Length of the lists that are measured.
        self.k = max(*ks, segment_k)
        self.segment_k = segment_k
        #: Items that are to be ranked among themselves as well; None for none.
        self.cold_items: Tensor | None = None
        self._per_user = {f"{name}@{k}": (metric, k) for k in ks for name, metric in RANKING_METRICS.items()}
        self._of_segments = {f"{name}@{segment_k}": (RANKING_METRICS[name], segment_k) for name in _SEGMENT_METRICS}
        pairs = task.targets.pairs_of(task.users)
        popularity = item_popularity_of(task.training_item_counts)
        num_users = len(task.users)
        self._item_segments = [
            ItemSegments(ITEM_POPULARITY, ITEM_POPULARITIES, popularity, segment_k, pairs, num_users)
        ]
        cold_status = cold_status_of(task.training_item_counts)
        if bool(cold_status[pairs[1]].any()):
            of_status = ItemSegments(ITEM_COLD_STATUS, COLD_STATUSES, cold_status, segment_k, pairs, num_users)
            self._item_segments.append(of_status)
            self._num_cold = of_status.num_relevant[:, COLD_STATUSES.index("cold")]
            self.cold_items = cold_status.nonzero()[:, 0]
        self._target_segments = None
        if task.repeated is not None and len(task.repeated) > 0:
            self._target_segments = TargetSegments(task.repeated, segment_k)
        num_training_users = int((task.training_user_counts > 0).sum())
        self._information = self_information(task.training_item_counts, num_training_users)
        self._content = None if item_vectors is None else ContentDirections.from_vectors(item_vectors)

    @torch.inference_mode()
    def result(self, lists: EvaluatedLists, bootstrap_samples: int, seed: int) -> RankingResult:
        """All measures of the lists.

        Args:
            lists: of the users of the task, with lists of the cold items where there are :attr:`cold_items`.
            bootstrap_samples: resamples for intervals; 0 for none.
            seed: of the bootstrap.
        """
        device, num_users = lists.items.device, len(self._task.users)
        exposure = {k: torch.zeros(self._task.num_items, dtype=torch.int64, device=device) for k in self._ks}
        values, names = torch.empty(0), list[str]()
        size = _USERS_AT_ONCE.get(device.type, 2**12)
        for start in range(0, num_users, size):
            place = slice(start, min(start + size, num_users))
            columns = self._measure(lists, place, exposure)
            if not names:
                names = list(columns)
                values = torch.empty(num_users, len(names), dtype=torch.float64, device=device)
            torch.stack(list(columns.values()), dim=1, out=values[place])
        return self._aggregate(names, values, exposure, bootstrap_samples, seed)

    def _measure(self, lists: EvaluatedLists, place: slice, exposure: dict[int, Tensor]) -> dict[str, Tensor]:
        """The measures of the users at some places, shape [B] each; their lists are added to ``exposure``."""
        users, items = self._task.users[place], lists.items[place].long()
        hits, num_relevant = self._task.is_target(users, items), self._task.targets.counts[users].long()
        columns = {
            name: metric(hits, num_relevant, k) for name, (metric, k) in (self._per_user | self._of_segments).items()
        }
        for segments in self._item_segments:
            columns |= segments.recalls(items, hits, place)
        if self._target_segments is not None:
            columns |= self._target_segments.measure(users, items, hits, num_relevant)
        if lists.cold is not None:
            found = self._task.is_target(users, lists.cold[place].long())
            for name in _COLD_METRICS:
                values = RANKING_METRICS[name](found, self._num_cold[place], self.segment_k)
                columns[f"{COLD_CATALOGUE}/{name}@{self.segment_k}"] = values
        for k, counts in exposure.items():
            shown = items[:, :k]
            counts += exposure_counts(shown, self._task.num_items)
            columns[f"novelty@{k}"] = novelty(shown, self._information)
            if self._content is not None:
                columns[f"diversity@{k}"] = intra_list_diversity(shown, self._content)
        return columns

    def _aggregate(
        self, names: list[str], table: Tensor, exposure: dict[int, Tensor], bootstrap_samples: int, seed: int
    ) -> RankingResult:
        """The result from the values of each user, ``table`` of shape [U, M], and the exposure of each item."""
        intervals = []
        if bootstrap_samples > 0:
            intervals = bootstrap_intervals(table[:, : len(self._per_user)], bootstrap_samples, seed)
        values: FloatArray = table.cpu().numpy()
        column = dict(zip(names, values.T, strict=True))
        mean = dict(zip(names, mean_over_users(values).tolist(), strict=True))

        catalogue = {}
        for k, counts in exposure.items():
            catalogue[f"coverage@{k}"] = float(coverage(counts))
            catalogue[f"gini@{k}"] = float(gini(counts))
            catalogue[f"novelty@{k}"] = mean[f"novelty@{k}"]
            if self._content is not None:
                catalogue[f"diversity@{k}"] = mean[f"diversity@{k}"]
        among_cold = [name for name in column if name.startswith(f"{COLD_CATALOGUE}/")]
        catalogue |= {name: mean[name] for name in among_cold}

        training_counts = self._task.training_user_counts[self._task.users]
        activity = user_activity_of(training_counts).cpu().numpy()
        beyond = [name for name in column if name.partition("@")[0] in ("novelty", "diversity")]
        beyond += [name for group in self._item_segments for name in group.columns] + among_cold
        if self._target_segments is not None:
            beyond += self._target_segments.columns
        return RankingResult(
            users=self._task.users.cpu().numpy(),
            per_user={name: np.ascontiguousarray(column[name]) for name in self._per_user},
            catalogue=catalogue,
            segments=self._segments(column, activity, cold_status_of(training_counts).cpu().numpy()),
            intervals=dict(zip(self._per_user, intervals, strict=False)),
            user_activity=activity,
            per_user_beyond={name: np.ascontiguousarray(column[name]) for name in beyond},
            known_share=self._task.known_share,
            sampled_from=self._task.sampled_from,
        )

    def _segments(self, column: dict[str, FloatArray], activity: IntArray, cold: IntArray) -> tuple[Segment, ...]:
        """Means by segment; ``activity`` and ``cold`` are the segments of the users, shape [U] each."""
        of_users = np.stack([column[name] for name in self._of_segments], axis=1)
        segments = segment_means(USER_ACTIVITY, USER_ACTIVITIES, activity, list(self._of_segments), of_users)
        if cold.any():
            segments += segment_means(USER_COLD_STATUS, COLD_STATUSES, cold, list(self._of_segments), of_users)
        for group in self._item_segments:
            segments += group.means(column)
        if self._target_segments is not None:
            segments += self._target_segments.means(column)
        return segments
