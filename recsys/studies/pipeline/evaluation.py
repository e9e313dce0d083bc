"""Measures a pipeline stage by stage: what is retrieved, how it is ranked, what diversity costs, how long it takes.

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
from recsys.retrieval.calibration import CalibratedReranker
from recsys.retrieval.explanation import BatchExplainer
from recsys.retrieval.pipeline import Pipeline, Shortlist
from recsys.retrieval.ranker import Ranker
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.reranker import Reranker
from recsys.retrieval.retrievers import Retriever
from recsys.retrieval.types import IntArray
from recsys.studies.pipeline.fixed_lists import FixedLists

#: Users whose requests are also made one by one, for the time that a single one takes.
NUM_ALONE = 100


@dataclass(frozen=True, slots=True)
class Lists:
    """One way of making the final lists, and how it did.

    Args:
        result: its measures.
        divergence: mean over users of the KL divergence from the genres of their history, nats; None without genres.
    """

    result: RankingResult
    divergence: float | None


@dataclass(frozen=True, slots=True)
class PipelineReport:
    """What was measured.

    Args:
        k: length of the final lists, K.
        num_candidates: C.
        mean_candidates: allowed candidates that were found for a user, mean.
        retrieved: the candidates in the order of the retriever, measured at K and at C.
        ranked: in the order of the ranker, without diversity; None without a ranker.
        diversified: by the name of a re-ranker and its strength.
        batch_milliseconds: time of each stage for a user, in batches.
        alone_milliseconds: time of each stage for a request that is made alone, median.
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
    """Measures pipelines on one task.

    Args:
        task: who is recommended to and what should be found.
        make_evaluator: makes what measures lists, out of cut-offs ``ks``.
        k: length of the final lists.
        num_candidates: C.
        vectors: content of the items, shape [I, F], by which lists are called diverse; None leaves diversity out.
        calibration: gives the divergence of lists from histories; None leaves it out.
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
        """Measure each stage; candidates are retrieved and ranked once, and diversified in each way.

        Args:
            retriever: finds the candidates.
            ranker: orders them; None keeps the order of the retriever.
            rerankers: by name and strength.
            chosen: the one whose time is measured; None leaves that stage out.
            explainer: whose time is measured; None leaves that stage out.
        """

        def pipeline(reranker: Reranker | None = None) -> Pipeline:
            return Pipeline(retriever, num_candidates=self._num_candidates, ranker=ranker, reranker=reranker)

        whole = Pipeline(retriever, (), self._num_candidates, ranker, chosen, explainer)
        self._time(whole, self._requests[:1])  # so that the first batch is no slower than the others
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
        """The measures of lists, shape [U, K] or [U, C]."""
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
        """Time of each stage for a user, where requests are made in batches."""
        seconds = self._time(pipeline, self._requests)
        num_users = len(self._task.users)
        return {stage: 1000 * sum(values) / num_users for stage, values in seconds.items()}

    def _alone_milliseconds(self, pipeline: Pipeline) -> dict[str, float]:
        """Time of each stage for a request that is made alone: the median of some, evenly spread over the users."""
        chosen = np.unique(np.linspace(0, len(self._task.users) - 1, NUM_ALONE).astype(np.int64))
        users = self._task.users.cpu().numpy()[chosen]
        seconds = self._time(pipeline, [requests_of_task(self._task, users[[place]]) for place in range(len(users))])
        return {stage: 1000 * float(np.median(values)) for stage, values in seconds.items()}

    def _time(self, pipeline: Pipeline, batches: Sequence[RequestBatch]) -> dict[str, list[float]]:
        """Seconds of each stage for each of the batches."""
        seconds: dict[str, list[float]] = {}
        for requests in batches:
            for stage, value in pipeline.recommend(requests, self._k).seconds.items():
                seconds.setdefault(stage, []).append(value)
        return seconds
