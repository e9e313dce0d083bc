"""Models as stages of a pipeline.

Shape suffixes: B requests, C candidates, I items, D dimensions, K list length, L history.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recsys.data.histories import Histories
from recsys.errors import ModelError
from recsys.evaluation.top_k import top_k, without_nan
from recsys.models.interface.protocols import Factorized, Query, Recommender, ScoresPairs
from recsys.recommendation.sampled_explanation import explainer_of
from recsys.retrieval.candidates import Candidates
from recsys.retrieval.index import ExactIndex
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.retrievers import IndexRetriever
from recsys.retrieval.top_k import top_k as best_of
from recsys.retrieval.types import FloatArray, IntArray


def query_of(requests: RequestBatch, device: torch.device | str = "cpu") -> Query:
    """The requests as models are asked, on ``device``."""

    def put(column: npt.NDArray[Any] | None) -> Tensor | None:
        return None if column is None else torch.tensor(column, device=device)

    history = requests.history
    histories = Histories(
        offsets=torch.tensor(history.offsets, device=device),
        items=torch.tensor(history.items, device=device),
        rating=put(history.rating),
        timestamp=put(history.timestamp),
    )
    features = {name: torch.tensor(values, device=device) for name, values in requests.features.items()}
    return Query(torch.tensor(requests.users, device=device), histories, features)


class ScoreRetriever:
    """Takes the best items of a model's scores of the whole catalogue: exact, and possible for every model.

    Args:
        model: on ``device``.
        num_items: size of the catalogue.
        device: where to score.
    """

    def __init__(self, model: Recommender, num_items: int, device: torch.device | str = "cpu") -> None:
        self.num_items = num_items
        self._model = model
        self._device = device

    @torch.inference_mode()
    def retrieve(self, requests: RequestBatch, num_candidates: int) -> Candidates:
        """See :meth:`recsys.retrieval.retrievers.Retriever.retrieve`."""
        items, scores = top_k(without_nan(self._model.score(query_of(requests, self._device))), num_candidates)
        return Candidates(items.cpu().numpy(), scores.cpu().numpy())


def vector_retriever(model: Recommender, num_items: int, device: torch.device | str = "cpu") -> IndexRetriever:
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

    def __init__(self, model: Recommender, device: torch.device | str = "cpu") -> None:
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


@dataclass(frozen=True, slots=True)
class Contribution:
    """An item of the history that a recommendation comes from.

    Args:
        item: internal index.
        part: what it has in the score, above 0.
    """

    item: int
    part: float


class ModelExplainer:
    """Names the items of the history that have the largest parts in the score of each recommended item.

    Args:
        model: whose scores are explained, by itself or by samples, on ``device``.
        num_contributions: items that are named, at most.
        device: where to explain.
    """

    def __init__(self, model: Recommender, num_contributions: int = 3, device: torch.device | str = "cpu") -> None:
        self._explainer = explainer_of(model)
        self._num_causes = num_contributions
        self._device = device

    @torch.inference_mode()
    def explain(self, requests: RequestBatch, items: IntArray) -> list[list[tuple[Contribution, ...]]]:
        """See :class:`recsys.retrieval.pipeline.Explainer`.

        Raises:
            ModelError: the scores of the model do not depend on histories.
        """
        query = query_of(requests, self._device)
        explanation = self._explainer.explain(query, torch.tensor(items, device=self._device))
        parts = explanation.contributions.cpu().numpy()
        offsets, history = requests.history.offsets, requests.history.items
        return [
            self._causes(parts[start:stop], history[start:stop])
            for start, stop in zip(offsets[:-1], offsets[1:], strict=True)
        ]

    def _causes(self, parts: FloatArray, history: IntArray) -> list[tuple[Contribution, ...]]:
        """The causes of each recommended item, out of parts of shape [L, K]."""
        best = best_of(np.where(parts > 0, parts, -np.inf).T, self._num_causes)
        return [
            tuple(
                Contribution(int(history[place]), float(part))
                for place, part in zip(places, of_item, strict=True)
                if place >= 0
            )
            for places, of_item in zip(best.items, best.scores, strict=True)
        ]
