"""Evaluation by ranking the full catalogue.

Shape suffixes: B users of a batch, U evaluated users, I items, K list length, M measures, F content features.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from recsys.cli.progress import progress
from recsys.errors import EvaluationError
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
from recsys.evaluation.known_items import ONLY_NEW, KnownItems, KnownTargets
from recsys.evaluation.means import mean_over_users
from recsys.evaluation.metrics import RANKING_METRICS
from recsys.evaluation.ranked_batch import RankedBatch, scores_of_unseen
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
    cold_status_of,
    item_popularity_of,
    segment_means,
    user_activity_of,
)
from recsys.evaluation.significance import bootstrap_intervals
from recsys.evaluation.target_segments import TargetSegments
from recsys.evaluation.top_k import top_k
from recsys.models.interface.protocols import ScoringModel

#: Metrics by segment of users.
_SEGMENT_METRICS = ("recall", "ndcg", "hit_rate")

#: Metrics of the ranking of cold items alone, and the prefix of their names.
_COLD_METRICS = ("recall", "ndcg", "hit_rate")
COLD_CATALOGUE = "cold_catalogue"


class RankingEvaluator:
    """Evaluates a model by ranking the full catalogue for every user with held-out items.

    The results do not depend on the batch size. They include, at each cut-off:

    - the mean over users of all :data:`recsys.evaluation.metrics.RANKING_METRICS`;
    - coverage, Gini index, novelty and, if content vectors are given, intra-list diversity of all lists;
    - at ``segment_k``: recall, NDCG and hit rate by user activity, and recall by item popularity; if a user or a
      held-out item has no training interaction, the same for warm and cold ones; if such an item is held out, recall,
      NDCG and hit rate of a ranking of cold items alone; if known items are to be found, recall, NDCG and hit rate of
      new and of repeated ones.

    A catalogue smaller than a cut-off is not an error: lists are shorter then.

    Args:
        ks: cut-offs, each at least 1.
        batch_size: largest number of users scored at once.
        bootstrap_samples: resamples for 95 % intervals; 0 for none.
        seed: seed of the bootstrap.
        segment_k: cut-off for segments; it does not have to be one of ``ks``.
        max_scores: bound on the scores held at once; batches shrink for a large catalogue, down to one user. Blocks
            that fit the processor's cache are faster than larger ones; on a GPU 2**25 may be faster.
        progress: whether to show a progress bar, where there is a terminal.
        repeats: what becomes of held-out pairs that are known already, see
            :class:`recsys.evaluation.known_items.KnownItems`; for those who make the tasks. None: ``drop``.

    Raises:
        EvaluationError: a setting is out of range.
    """

    def __init__(
        self,
        ks: Sequence[int] = (5, 10, 20, 50),
        batch_size: int = 512,
        bootstrap_samples: int = 1000,
        seed: int = 0,
        segment_k: int = 10,
        max_scores: int = 2**22,
        progress: bool = False,
        repeats: KnownTargets | None = None,
    ) -> None:
        self.ks = tuple(sorted(set(ks)))
        if not self.ks or min(*self.ks, segment_k) < 1:
            raise EvaluationError(
                f"an evaluation needs at least one cut-off, and none below 1; ks is {list(ks)} and segment_k "
                f"{segment_k}: correct them"
            )
        if batch_size < 1 or max_scores < 1 or bootstrap_samples < 0:
            raise EvaluationError(
                "batch_size and max_scores must be at least 1 and bootstrap_samples at least 0; they are "
                f"{batch_size}, {max_scores} and {bootstrap_samples}: correct them"
            )
        self.batch_size = batch_size
        self.bootstrap_samples = bootstrap_samples
        self.seed = seed
        self.segment_k = segment_k
        self.max_scores = max_scores
        self.progress = progress
        self.repeats: KnownTargets = (ONLY_NEW if repeats is None else KnownItems(repeats=repeats)).repeats

    def evaluate(self, model: ScoringModel, task: RankingTask, item_vectors: Tensor | None = None) -> RankingResult:
        """Evaluate ``model`` on ``task``.

        A ``torch.nn.Module`` is switched to evaluation mode and restored afterwards.

        Args:
            model: scores the catalogue, on the device of ``task``.
            task: the users and their held-out items.
            item_vectors: content vectors of the catalogue for diversity, shape [I, F], any type, on the device of
                ``task``; a row of zeros means no content. None leaves diversity out.

        Raises:
            EvaluationError: no user has a held-out item, or ``item_vectors`` belong to another catalogue.
            ModelError: the scores of the model belong to another catalogue.
        """
        if len(task.users) == 0 and task.known_share > 0:
            raise EvaluationError(
                f"an evaluation needs something new to find, but all that the '{task.stage}' part of this split holds "
                "out was known before: hold out another part, or set evaluation.repeats=keep to find it again"
            )
        if len(task.users) == 0:
            raise EvaluationError(
                f"an evaluation needs at least one user with held-out items; the '{task.stage}' part of this split has "
                "none: hold out more interactions or evaluate another part"
            )
        if item_vectors is not None and len(item_vectors) != task.num_items:
            raise EvaluationError(
                f"item_vectors must have one row for each of the {task.num_items} items; there are "
                f"{len(item_vectors)}: pass the content of the same catalogue"
            )
        measures = _Measures(self.ks, self.segment_k, task, item_vectors)
        with _evaluation_mode(model):
            for users in self._batches(task):
                measures.add(users, measures.scores(model, users))
        return measures.result(self.bootstrap_samples, self.seed)

    def _batches(self, task: RankingTask) -> Iterator[Tensor]:
        size = max(1, min(self.batch_size, self.max_scores // task.num_items))
        batches = torch.split(task.users, size)
        yield from progress.track(batches, "ranking users") if self.progress else batches


class _Measures:
    """Collects the metrics of each batch, and aggregates them at the end.

    Means are taken over all users at once, so that they do not depend on the batches.
    """

    def __init__(self, ks: tuple[int, ...], segment_k: int, task: RankingTask, item_vectors: Tensor | None) -> None:
        self._task = task
        self._k = max(*ks, segment_k)
        self._per_user = {f"{name}@{k}": (metric, k) for k in ks for name, metric in RANKING_METRICS.items()}
        self._of_segments = {f"{name}@{segment_k}": (RANKING_METRICS[name], segment_k) for name in _SEGMENT_METRICS}
        self._segment_k = segment_k
        popularity = item_popularity_of(task.training_item_counts)
        self._item_segments = [ItemSegments(ITEM_POPULARITY, ITEM_POPULARITIES, popularity, segment_k)]
        cold_status = cold_status_of(task.training_item_counts)
        _, targets = task.targets.pairs_of(task.users)
        self._cold_items: Tensor | None = None
        if bool(cold_status[targets].any()):
            self._item_segments.append(ItemSegments(ITEM_COLD_STATUS, COLD_STATUSES, cold_status, segment_k))
            self._cold_items = cold_status.nonzero()[:, 0]
        self._target_segments = None
        if task.repeated is not None and len(task.repeated) > 0:
            self._target_segments = TargetSegments(task.repeated, segment_k)
        num_training_users = int((task.training_user_counts > 0).sum())
        self._information = self_information(task.training_item_counts, num_training_users)
        self._content = None if item_vectors is None else ContentDirections.from_vectors(item_vectors)
        device = task.users.device
        self._exposure = {k: torch.zeros(task.num_items, dtype=torch.int64, device=device) for k in ks}
        self._names: list[str] = []
        self._rows: list[Tensor] = []

    def scores(self, model: ScoringModel, users: Tensor) -> Tensor:
        """The scores that the metrics need, shape [B, I]; see :func:`scores_of_unseen`."""
        return scores_of_unseen(model, self._task, users, self._k, self._cold_items)

    def add(self, users: Tensor, scores: Tensor) -> None:
        """Add a batch: a row of metrics for each user, and the exposure of items.

        Args:
            users: shape [B], int64.
            scores: scores from :meth:`scores`, shape [B, I].
        """
        items, _ = top_k(scores, self._k)
        ranked = RankedBatch(items, self._task.is_target(users, items), self._task.targets.counts[users])
        columns = {
            name: metric(ranked.hits, ranked.num_relevant, k)
            for name, (metric, k) in (self._per_user | self._of_segments).items()
        }
        pairs = self._task.targets.pairs_of(users)
        for segments in self._item_segments:
            columns |= segments.recalls(ranked.items, ranked.hits, *pairs)
        if self._target_segments is not None:
            columns |= self._target_segments.measure(users, ranked.items, ranked.hits, ranked.num_relevant)
        if self._cold_items is not None:
            columns |= self._among_cold_items(users, scores, self._cold_items, *pairs)
        for k, exposure in self._exposure.items():
            items = ranked.items[:, :k]
            exposure += exposure_counts(items, self._task.num_items)
            columns[f"novelty@{k}"] = novelty(items, self._information)
            if self._content is not None:
                columns[f"diversity@{k}"] = intra_list_diversity(items, self._content)
        self._names = list(columns)
        self._rows.append(torch.stack(list(columns.values()), dim=1).cpu())

    def _among_cold_items(
        self, users: Tensor, scores: Tensor, cold: Tensor, rows: Tensor, targets: Tensor
    ) -> dict[str, Tensor]:
        """Metrics of the ranking of cold items alone; NaN for users without a held-out cold item.

        Args:
            users: shape [B], int64.
            scores: shape [B, I].
            cold: the cold items, ascending, int64.
            rows: row of each held-out pair of ``users``, shape [P], int64.
            targets: item of each pair, shape [P], int64.
        """
        positions, _ = top_k(scores[:, cold], self._segment_k)
        items = torch.where(positions >= 0, cold[positions.clamp(min=0)], positions)
        hits = self._task.is_target(users, items)
        num_relevant = torch.bincount(rows[self._task.training_item_counts[targets] == 0], minlength=len(users))
        return {
            f"{COLD_CATALOGUE}/{name}@{self._segment_k}": RANKING_METRICS[name](hits, num_relevant, self._segment_k)
            for name in _COLD_METRICS
        }

    def result(self, bootstrap_samples: int, seed: int) -> RankingResult:
        """Aggregate all batches."""
        values = torch.cat(self._rows).numpy()
        column = dict(zip(self._names, values.T, strict=True))
        mean = dict(zip(self._names, mean_over_users(values).tolist(), strict=True))

        catalogue = {}
        for k, exposure in self._exposure.items():
            catalogue[f"coverage@{k}"] = float(coverage(exposure))
            catalogue[f"gini@{k}"] = float(gini(exposure))
            catalogue[f"novelty@{k}"] = mean[f"novelty@{k}"]
            if self._content is not None:
                catalogue[f"diversity@{k}"] = mean[f"diversity@{k}"]
        among_cold = [name for name in column if name.startswith(f"{COLD_CATALOGUE}/")]
        catalogue |= {name: mean[name] for name in among_cold}

        training_counts = self._task.training_user_counts[self._task.users]
        activity = user_activity_of(training_counts).cpu().numpy()
        of_users = np.stack([column[name] for name in self._of_segments], axis=1)
        segments = segment_means(USER_ACTIVITY, USER_ACTIVITIES, activity, list(self._of_segments), of_users)
        cold_status = cold_status_of(training_counts).cpu().numpy()
        if cold_status.any():
            segments += segment_means(USER_COLD_STATUS, COLD_STATUSES, cold_status, list(self._of_segments), of_users)
        for group in self._item_segments:
            segments += group.means(column)
        if self._target_segments is not None:
            segments += self._target_segments.means(column)

        beyond = {name: column[name] for name in column if name.partition("@")[0] in ("novelty", "diversity")}
        beyond |= {name: column[name] for group in self._item_segments for name in group.columns}
        beyond |= {name: column[name] for name in among_cold}
        if self._target_segments is not None:
            beyond |= {name: column[name] for name in self._target_segments.columns}

        accuracy = values[:, : len(self._per_user)]
        intervals = bootstrap_intervals(accuracy, bootstrap_samples, seed) if bootstrap_samples > 0 else []
        return RankingResult(
            users=self._task.users.cpu().numpy(),
            per_user={name: np.ascontiguousarray(column[name]) for name in self._per_user},
            catalogue=catalogue,
            segments=segments,
            intervals=dict(zip(self._per_user, intervals, strict=False)),
            user_activity=activity,
            per_user_beyond={name: np.ascontiguousarray(values) for name, values in beyond.items()},
            known_share=self._task.known_share,
        )


@contextmanager
def _evaluation_mode(model: object) -> Iterator[None]:
    """Switch every module of a network to evaluation mode, and restore the mode of each afterwards."""
    modes = {module: module.training for module in model.modules()} if isinstance(model, nn.Module) else {}
    for module in modes:
        module.training = False
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training
