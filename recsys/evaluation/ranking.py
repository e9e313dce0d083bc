"""Evaluation by ranking the full catalogue.

Shape suffixes: U evaluated users, I items, K list length, F content features.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn

from recsys.cli.progress import progress
from recsys.distributed.collectives import counts_of_ranks
from recsys.distributed.ranks import ranks
from recsys.errors import EvaluationError
from recsys.evaluation.batch_planner import users_per_batch
from recsys.evaluation.known_items import ONLY_NEW, KnownItems, KnownTargets
from recsys.evaluation.ranked_lists import EvaluatedLists, TaskRanker
from recsys.evaluation.ranking_measures import RankingMeasures
from recsys.evaluation.ranking_result import RankingResult
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.interface.protocols import ScoringModel


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

    With ``max_users`` a simple random sample of n of the M users is ranked for. Means stay unbiased, and the intervals
    are wider: the users of a test are themselves taken for a sample of a larger population, which the intervals are
    about, and n users drawn from them are one of n instead of M, with ``sqrt(M / n)`` times the standard error. So they
    are bootstrapped from the n users as they are, without the finite-population correction ``sqrt(1 - n / M)``: that
    is for the mean of these M users alone (Cochran, Sampling Techniques, 1977, section 2.6), and would make the
    intervals of a sample narrower than those of all users say. Coverage, Gini index and exposure are those of n lists,
    and coverage is smaller than that of M.

    Args:
        ks: cut-offs, each at least 1.
        batch_size: users scored at once. None: as many as the device can well take, see
            :mod:`recsys.evaluation.batch_planner`.
        max_users: users that are ranked for at most, a random sample; None: all.
        bootstrap_samples: resamples for 95 % intervals; 0 for none.
        seed: seed of the bootstrap and of the sample.
        segment_k: cut-off for segments; it does not have to be one of ``ks``.
        max_scores: bound on the scores of a batch; batches shrink for a large catalogue, down to one user. None: no
            other bound than ``batch_size``.
        progress: whether to show a progress bar, where there is a terminal.
        repeats: what becomes of held-out pairs that are known already, see
            :class:`recsys.evaluation.known_items.KnownItems`; for those who make the tasks. None: ``drop``.

    Raises:
        EvaluationError: a setting is out of range.
    """

    def __init__(
        self,
        ks: Sequence[int] = (5, 10, 20, 50),
        batch_size: int | None = None,
        max_users: int | None = None,
        bootstrap_samples: int = 1000,
        seed: int = 0,
        segment_k: int = 10,
        max_scores: int | None = None,
        progress: bool = False,
        repeats: KnownTargets | None = None,
    ) -> None:
        self.ks = tuple(sorted(set(ks)))
        if not self.ks or min(*self.ks, segment_k) < 1:
            raise EvaluationError(
                f"an evaluation needs at least one cut-off, and none below 1; ks is {list(ks)} and segment_k "
                f"{segment_k}: correct them"
            )
        sizes = [size for size in (batch_size, max_scores, max_users) if size is not None]
        if min(sizes, default=1) < 1 or bootstrap_samples < 0:
            raise EvaluationError(
                "batch_size, max_scores and max_users must be at least 1 and bootstrap_samples at least 0; they are "
                f"{batch_size}, {max_scores}, {max_users} and {bootstrap_samples}: correct them"
            )
        self.batch_size = batch_size
        self.max_users = max_users
        self.bootstrap_samples = bootstrap_samples
        self.seed = seed
        self.segment_k = segment_k
        self.max_scores = max_scores
        self.progress = progress
        self.repeats: KnownTargets = (ONLY_NEW if repeats is None else KnownItems(repeats=repeats)).repeats

    def evaluate(self, model: ScoringModel, task: RankingTask, item_vectors: Tensor | None = None) -> RankingResult:
        """Evaluate ``model`` on ``task``.

        A ``torch.nn.Module`` is switched to evaluation mode and restored afterwards. Where several ranks have the same
        model, the others call :meth:`assist` meanwhile.

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
        task = task.sampled(self.max_users, self.seed)
        measures = RankingMeasures(self.ks, self.segment_k, task, item_vectors)
        with _evaluation_mode(model):
            lists = self._lists(model, task, measures)
        return measures.result(lists, self.bootstrap_samples, self.seed)

    def assist(self, model: ScoringModel, task: RankingTask) -> None:
        """Rank for this rank's part of the users, while rank 0 has :meth:`evaluate` called with the same."""
        task = task.sampled(self.max_users, self.seed)
        with _evaluation_mode(model):
            self._lists(model, task, RankingMeasures(self.ks, self.segment_k, task, None))

    def _lists(self, model: ScoringModel, task: RankingTask, measures: RankingMeasures) -> EvaluatedLists:
        size = self.users_per_batch(task, measures.k)
        maker = TaskRanker(task, measures.k, measures.cold_items, measures.segment_k)
        size = min(of_rank[0] for of_rank in counts_of_ranks([size]))  # devices may have different room
        part = maker.parts(size)[ranks().rank]
        shown = self.progress and ranks().is_main
        with progress.switched(shown), progress.bar("ranking users", part.stop - part.start) as bar:
            return maker.make(model, size, bar.advance)

    def users_per_batch(self, task: RankingTask, k: int) -> int:
        """Users that are ranked for at once: what was set, else as many as the device of ``task`` can well take.

        Args:
            task: whose device and whose catalogue.
            k: list length.
        """
        size = self.batch_size
        if size is None:
            pairs = (int(task.histories.offsets[-1]) + len(task.seen)) / max(len(task.histories), 1)
            size = users_per_batch(task.users.device, task.num_items, k, pairs / 2)
        return size if self.max_scores is None else max(1, min(size, self.max_scores // max(task.num_items, 1)))


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
