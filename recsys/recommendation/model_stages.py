"""Models as stages of a pipeline.

Shape suffixes: B requests, C candidates, I items, D dimensions, K list length, L history.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from recsys.errors import ModelError
from recsys.evaluation.top_k import top_k, without_nan
from recsys.models.interface.protocols import Factorized, ScoresPairs, ScoringModel
from recsys.recommendation.model_queries import query_of
from recsys.retrieval.candidates import Candidates
from recsys.retrieval.index import ExactIndex
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.retrievers import IndexRetriever
from recsys.retrieval.types import FloatArray, IntArray


class ScoreRetriever:
    """Takes the best items of a model's scores of the whole catalogue: exact, and possible for every model.

    Args:
        model: on ``device``.
        num_items: size of the catalogue.
        device: where to score.
    """

    exact = True

    def __init__(self, model: ScoringModel, num_items: int, device: torch.device | str = "cpu") -> None:
        self.num_items = num_items
        self._model = model
        self._device = device

    @torch.inference_mode()
    def retrieve(self, requests: RequestBatch, num_candidates: int) -> Candidates:
        """See :meth:`recsys.retrieval.retrievers.Retriever.retrieve`."""
        return _best(self._scores(requests), num_candidates)

    @torch.inference_mode()
    def retrieve_allowed(self, requests: RequestBatch, num_candidates: int) -> Candidates:
        """The same without what the requests exclude, for which nobody has to ask deeper then."""
        scores = self._scores(requests)
        for excluded in (requests.seen, requests.exclude_items):
            rows = np.repeat(np.arange(len(requests)), excluded.counts)
            known = excluded.items < self.num_items
            pairs = (torch.tensor(rows[known]), torch.tensor(excluded.items[known]))
            scores[tuple(pair.to(scores.device) for pair in pairs)] = -torch.inf
        return _best(scores, num_candidates)

    def _scores(self, requests: RequestBatch) -> Tensor:
        return without_nan(self._model.score(query_of(requests, self._device)))


def _best(scores: Tensor, num_candidates: int) -> Candidates:
    items, best = top_k(scores, num_candidates)
    return Candidates(items.cpu().numpy(), best.cpu().numpy())


def vector_retriever(model: ScoringModel, num_items: int, device: torch.device | str = "cpu") -> IndexRetriever:
    """Looks for the user's vector among those of the items, by an exact index.

    Args:
        model: one that retrieves by vectors, on ``device``.
        num_items: size of the catalogue.
        device: where to encode.

    Raises:
        ModelError: the model has no vectors.
    """
    if not isinstance(model, Factorized):
        raise ModelError(
            f"A model that retrieves by vectors is required, but {type(model).__name__} has none. "
            "Choose another model (docs/models.md says which do), or retrieve by scores."
        )
    factorized = model

    @torch.inference_mode()
    def encode(requests: RequestBatch) -> FloatArray:
        vectors: FloatArray = factorized.encode_users(query_of(requests, device)).cpu().numpy()
        return vectors

    with torch.inference_mode():
        vectors = factorized.encode_items(torch.arange(num_items, device=device)).cpu().numpy()
    return IndexRetriever(encode, ExactIndex(vectors))


class ModelRanker:
    """Scores candidates with any model: these alone where the model can, else by its scores of the catalogue.

    Args:
        model: on ``device``.
        device: where to score.
    """

    def __init__(self, model: ScoringModel, device: torch.device | str = "cpu") -> None:
        self._model = model
        self._device = device

    @torch.inference_mode()
    def score(self, requests: RequestBatch, items: IntArray) -> FloatArray:
        """See :meth:`recsys.retrieval.ranker.Ranker.score`."""
        query = query_of(requests, self._device)
        candidates = torch.tensor(np.maximum(items, 0), device=self._device)
        if isinstance(self._model, ScoresPairs) and bool((query.users >= 0).all()):
            scores = self._model.score_pairs(query.users[:, None], candidates)
        elif (score_candidates := getattr(self._model, "score_candidates", None)) is not None:
            scores = score_candidates(query, candidates)
        else:
            scores = self._model.score(query).gather(1, candidates)
        ranked: FloatArray = scores.cpu().numpy()
        return ranked
