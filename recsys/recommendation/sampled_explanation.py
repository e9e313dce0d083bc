"""Explainers of PyTorch models: the model itself where it can split its scores, else samples of parts of the history.

The samples are those of :class:`recsys.retrieval.sampled_explanation.SampledExplainer`, which also explains what is
served.

Shape suffixes: B requests, K explained items, I items of the catalogue.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from recsys.models.interface.protocols import Explains, FoldsIn, ScoringModel
from recsys.recommendation.model_queries import query_of
from recsys.retrieval.explanation import BatchExplainer, BatchExplanation
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.sampled_explanation import SampledExplainer
from recsys.retrieval.types import FloatArray, IntArray


class HistoryRanker:
    """Scores items with a model from the history of each request, known user or not.

    Args:
        model: on ``device``, in evaluation mode.
        device: where to score.
        ranks: whether items are candidates that somebody else found, where the model makes a difference
            (``score_candidates``).
    """

    def __init__(self, model: ScoringModel, device: torch.device | str = "cpu", ranks: bool = False) -> None:
        self._model = model
        self._device = device
        self._ranks = ranks

    @torch.no_grad()
    def score(self, requests: RequestBatch, items: IntArray) -> FloatArray:
        """See :meth:`recsys.retrieval.ranker.Ranker.score`."""
        query, candidates = query_of(requests, self._device), torch.tensor(np.maximum(items, 0), device=self._device)
        score_candidates = getattr(self._model, "score_candidates", None) if self._ranks else None
        if score_candidates is not None:
            scores = score_candidates(query, candidates)
        else:
            scores = self._model.score(query).gather(1, candidates)
        ranked: FloatArray = scores.cpu().numpy()
        return ranked


class ExactExplainer:
    """Splits scores as the model itself does; see :class:`recsys.retrieval.explanation.BatchExplainer`.

    Args:
        model: on ``device``.
        device: where to explain.
    """

    def __init__(self, model: Explains, device: torch.device | str = "cpu") -> None:
        self._model = model
        self._device = device

    @torch.no_grad()
    def explain(self, requests: RequestBatch, items: IntArray) -> BatchExplanation:
        """See :meth:`recsys.retrieval.explanation.BatchExplainer.explain`."""
        query = query_of(requests, self._device)
        found = self._model.explain(query, torch.tensor(items, device=self._device))
        return BatchExplanation.exact(requests.history, found.contributions.cpu().numpy(), found.rest.cpu().numpy())


def batch_explainer_of(
    model: ScoringModel, num_items: int, device: torch.device | str = "cpu", ranks: bool = False, **settings: Any
) -> BatchExplainer:
    """What explains requests to ``model``, with the same numbers as a bundle of it.

    Args:
        model: on ``device``, in evaluation mode.
        num_items: size of the catalogue, I.
        device: where to explain.
        ranks: whether the model scores candidates that another one finds.
        settings: of :class:`recsys.retrieval.sampled_explanation.SampledExplainer`, where it is needed.
    """
    if isinstance(model, Explains):
        return ExactExplainer(model, device)
    return sampled_explainer_of(model, num_items, device, ranks, **settings)


def sampled_explainer_of(
    model: ScoringModel, num_items: int, device: torch.device | str = "cpu", ranks: bool = False, **settings: Any
) -> SampledExplainer:
    """Explains by samples, even what the model itself could split; arguments as above.

    Raises:
        ModelError: a setting is out of range.
    """
    ranker = HistoryRanker(model, device, ranks)
    return SampledExplainer(ranker, num_items, type(model).__name__, isinstance(model, FoldsIn), **settings)
