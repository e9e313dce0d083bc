"""Explainers of PyTorch models: the model itself where it can split its scores, else samples of parts of the history.

The samples are those of :class:`recsys.retrieval.sampled_explanation.SampledExplainer`, which also explains what is
served.

Shape suffixes: B queries, K explained items, I items of the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recsys.models.interface.explanation import Explanation
from recsys.models.interface.protocols import Explains, FoldsIn, Query, ScoringModel
from recsys.recommendation.model_queries import query_of, requests_of
from recsys.retrieval.explanation import BatchExplainer, BatchExplanation
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.sampled_explanation import SampledExplainer, check_settings
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
        return BatchExplanation(
            requests.history,
            found.contributions.cpu().numpy(),
            found.rest.cpu().numpy(),
            None if found.errors is None else found.errors.cpu().numpy(),
            found.num_grouped.cpu().numpy(),
        )


class SampledModelExplainer:
    """Explains a PyTorch model by samples, as :class:`recsys.models.interface.protocols.Explains` has it.

    Args:
        model: scores from histories, in evaluation mode.
        settings: of :class:`recsys.retrieval.sampled_explanation.SampledExplainer`.

    Raises:
        ModelError: a setting is out of range.
    """

    def __init__(
        self, model: ScoringModel, num_permutations: int = 64, max_items: int = 50, max_scores: int = 2**22, **more: Any
    ) -> None:
        check_settings(num_permutations, max_items, max_scores)
        self.model = model
        self._settings = {
            "num_permutations": num_permutations,
            "max_items": max_items,
            "max_scores": max_scores,
            **more,
        }

    @torch.no_grad()
    def explain(self, query: Query, items: Tensor) -> Explanation:
        """Split the scores of ``items`` (shape [B, K], int64, -1 for no item) over the histories of ``query``.

        Raises:
            ModelError: the scores do not depend on the history, so that there is nothing to split.
        """
        device = query.users.device
        num_items = self.model.score(query.take(torch.arange(min(1, len(query)), device=device))).shape[1]
        found = _sampled(self.model, num_items, device, False, self._settings).explain(
            requests_of(query), items.cpu().numpy()
        )

        def put(values: FloatArray | IntArray) -> Tensor:
            return torch.from_numpy(values).to(device)

        assert found.errors is not None, "samples have errors"
        return Explanation(
            query.histories, put(found.contributions), put(found.rest), put(found.errors), put(found.num_grouped)
        )


def explainer_of(model: ScoringModel) -> Explains:
    """What explains ``model``: itself, where it does, else samples."""
    return model if isinstance(model, Explains) else SampledModelExplainer(model)


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
    return _sampled(model, num_items, device, ranks, settings)


def _sampled(
    model: ScoringModel, num_items: int, device: torch.device | str, ranks: bool, settings: Mapping[str, Any]
) -> SampledExplainer:
    ranker = HistoryRanker(model, device, ranks)
    return SampledExplainer(ranker, num_items, type(model).__name__, isinstance(model, FoldsIn), **settings)
