"""Evaluates a pipeline stage by stage: retrieval, ranking, diversity and latency.

Shape suffixes: B requests of a batch, U users, C candidates, K list length.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recsys.evaluation.ranking import RankingEvaluator
from recsys.evaluation.ranking_result import RankingResult
from recsys.evaluation.ranking_task import RankingTask
from recsys.recommendation.request_batches import requests_of_task
from recsys.retrieval.explanation import BatchExplainer
from recsys.retrieval.pipeline import Pipeline, Shortlist
from recsys.retrieval.ranker import Ranker
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.reranking.calibration import CalibratedReranker
from recsys.retrieval.reranking.reranker import Reranker
from recsys.retrieval.retrievers import Retriever
from recsys.retrieval.types import IntArray
from recsys.studies.pipeline.fixed_lists import FixedLists

#: Users whose requests are also made one by one, to measure the latency of a single request.
NUM_ALONE = 100


@dataclass(frozen=True, slots=True)
class Lists:
    """Evaluation of the lists of one stage.

    Args:
        result: the metrics of the lists.
        divergence: mean over users of the KL divergence of the list from the history, in nats; None without
            calibration.
    """

    result: RankingResult
    divergence: float | None


@dataclass(frozen=True, slots=True)
class PipelineReport:
    """The evaluation of a pipeline.

    Args:
        k: length of the final lists, K.
        num_candidates: requested number of candidates, C.
        mean_candidates: mean number of candidates that were found for a user.
        retrieved: lists in the order of the retriever, evaluated at K and at C.
        ranked: lists in the order of the ranker, without diversity; None without a ranker.
        diversified: re-ranked lists by the name of the re-ranker and its diversity weight.
        batch_milliseconds: mean time of each stage for a user, in batches.
        alone_milliseconds: median time of each stage for a single request.
    """

    k: int
    num_candidates: int
    mean_candidates: float
    retrieved: Lists
    ranked: Lists | None
    diversified: Mapping[tuple[str, float], Lists]
    batch_milliseconds: Mapping[str, float]
    alone_milliseconds: Mapping[str, float]

    @property
    def plain(self) -> Lists:
        """The lists without diversity."""
        return self.retrieved if self.ranked is None else self.ranked


class PipelineEvaluator:
    """Evaluates pipelines on one task.

    Args:
        task: the users and their held-out items.
        make_evaluator: makes the evaluator of lists for the cut-offs ``ks``.
        k: length of the final lists.
        num_candidates: number of candidates, C.
        vectors: content vectors of the items for the diversity of lists, shape [I, F]; None leaves diversity out.
        calibration: computes the divergence of lists from histories; None leaves it out.
        batch_size: requests made at once.
    """

    def __init__(
        self,
        task: RankingTask,
        make_evaluator: Callable[..., RankingEvaluator],
        k: int,
        num_candidates: int,
        vectors: Tensor | None,
        calibration: CalibratedReranker | None,
        batch_size: int = 512,
    ) -> None:
        self._task = task
        self._of_lists = make_evaluator(ks=[k])
        self._of_candidates = make_evaluator(ks=[k, num_candidates])
        self._k = k
        self._num_candidates = num_candidates
        self._vectors = vectors
        self._calibration = calibration
        users = task.users.cpu().numpy()
        self._requests = [
            requests_of_task(task, users[start : start + batch_size]) for start in range(0, len(users), batch_size)
        ]

    def evaluate(
        self,
        retriever: Retriever,
        ranker: Ranker | None,
        rerankers: Mapping[tuple[str, float], Reranker],
        chosen: Reranker | None,
        explainer: BatchExplainer | None = None,
    ) -> PipelineReport:
        """Evaluate each stage; candidates are retrieved and ranked once, and re-ranked by each re-ranker.

        Args:
            retriever: finds the candidates.
            ranker: orders them; None keeps the order of the retriever.
            rerankers: re-rankers by name and diversity weight.
            chosen: the re-ranker whose time is measured; None leaves that stage out.
            explainer: the explainer whose time is measured; None leaves that stage out.
        """

        def pipeline(reranker: Reranker | None = None) -> Pipeline:
            return Pipeline(retriever, num_candidates=self._num_candidates, ranker=ranker, reranker=reranker)

        whole = Pipeline(retriever, (), self._num_candidates, ranker, chosen, explainer)
        self._time(whole, self._requests[:1])  # warms up, so that the first batch is not slower than the others
        shortlists = [pipeline().shortlist(requests, self._k) for requests in self._requests]
        retrieved = np.concatenate([shortlist.retrieved.items for shortlist in shortlists])
        ranked = np.concatenate([shortlist.ranked.items for shortlist in shortlists])
        diversified = {
            key: self._measure(self._complete(pipeline(reranker), shortlists), self._of_lists)
            for key, reranker in rerankers.items()
        }
        return PipelineReport(
            k=self._k,
            num_candidates=self._num_candidates,
            mean_candidates=float((retrieved >= 0).sum(axis=1).mean()),
            retrieved=self._measure(retrieved, self._of_candidates),
            ranked=None if ranker is None else self._measure(ranked, self._of_lists),
            diversified=diversified,
            batch_milliseconds=self._batch_milliseconds(whole),
            alone_milliseconds=self._alone_milliseconds(whole),
        )

    def _complete(self, pipeline: Pipeline, shortlists: Sequence[Shortlist]) -> IntArray:
        """The final lists of all users, shape [U, K]."""
        return np.concatenate(
            [
                pipeline.complete(requests, shortlist, self._k).items
                for requests, shortlist in zip(self._requests, shortlists, strict=True)
            ]
        )

    def _measure(self, items: IntArray, evaluator: RankingEvaluator) -> Lists:
        """Evaluate lists, shape [U, K] or [U, C]."""
        lists = FixedLists(self._task.users, torch.from_numpy(items).to(self._task.users.device), self._task.num_items)
        divergence = None
        if self._calibration is not None:
            sizes = np.cumsum([len(requests) for requests in self._requests])[:-1]
            parts = [
                self._calibration.divergence(requests, part[:, : self._k])
                for requests, part in zip(self._requests, np.split(items, sizes), strict=True)
            ]
            divergence = float(np.nanmean(np.concatenate(parts)))
        return Lists(evaluator.evaluate(lists, self._task, self._vectors), divergence)

    def _batch_milliseconds(self, pipeline: Pipeline) -> dict[str, float]:
        """Mean time of each stage for a user, with requests in batches."""
        seconds = self._time(pipeline, self._requests)
        num_users = len(self._task.users)
        return {stage: 1000 * sum(values) / num_users for stage, values in seconds.items()}

    def _alone_milliseconds(self, pipeline: Pipeline) -> dict[str, float]:
        """Median time of each stage for a single request, over some users that are evenly spread."""
        chosen = np.unique(np.linspace(0, len(self._task.users) - 1, NUM_ALONE).astype(np.int64))
        users = self._task.users.cpu().numpy()[chosen]
        seconds = self._time(pipeline, [requests_of_task(self._task, users[[place]]) for place in range(len(users))])
        return {stage: 1000 * float(np.median(values)) for stage, values in seconds.items()}

    def _time(self, pipeline: Pipeline, batches: Sequence[RequestBatch]) -> dict[str, list[float]]:
        """Seconds of each stage for each batch."""
        seconds: dict[str, list[float]] = {}
        for requests in batches:
            for stage, value in pipeline.recommend(requests, self._k).seconds.items():
                seconds.setdefault(stage, []).append(value)
        return seconds
