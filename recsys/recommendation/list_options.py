"""What one user wishes of a list, besides that its items are good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from recsys.data.prepared import PreparedDataset
from recsys.recommendation.catalogue_columns import reranker, rules
from recsys.retrieval.pipeline import Pipeline
from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.retrievers import Retriever


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Rules and diversity.

    Args:
        exclude_items: external ids of items that are not wanted.
        only: columns and values, any of which an item must have.
        without: columns and values, none of which an item may have.
        between: columns and the ends of a range, None for an open end.
        diversity: a name in :data:`recsys.retrieval.rerankers.RERANKERS`, or None.
        diversity_weight: of the diversity, from 0 to 1.
        content: the column by which a list is diverse; None: the first multi-valued feature.
        num_candidates: how many candidates the diversity chooses from.
    """

    exclude_items: Sequence[str] = ()
    only: Mapping[str, Any] | None = None
    without: Mapping[str, Any] | None = None
    between: Mapping[str, Any] | None = None
    diversity: str | None = None
    diversity_weight: float = 0.3
    content: str | None = None
    num_candidates: int = 200

    @property
    def restrict(self) -> bool:
        """Whether there are rules."""
        return bool(self.exclude_items or self.only or self.without or self.between)

    def recommend(
        self, retriever: Retriever, request: RequestBatch, k: int, prepared: PreparedDataset
    ) -> tuple[Tensor, Tensor]:
        """A list for one request; ids of blocked items that are not in the data are left out.

        Args:
            retriever: finds and scores the candidates.
            request: who asks, one user.
            k: length of the list.
            prepared: the data.

        Returns:
            Item indices, best first, shape [N], int64, and their scores, shape [N]; N is k where there are as many.

        Raises:
            RetrievalError: a wish names what does not exist, or ``k`` is not a positive whole number.
        """
        indices = prepared.item_vocabulary.index_of(list(self.exclude_items))
        pipeline = Pipeline(
            retriever,
            rules(prepared, self.only, self.without, self.between),
            # Without diversity nothing is chosen among the candidates, and k of them are enough.
            num_candidates=1 if self.diversity is None else self.num_candidates,
            reranker=reranker(self.diversity, self.diversity_weight, prepared, self.content),
        )
        exclude_items = RaggedItems.of([indices[indices >= 0].tolist()])
        lists = pipeline.recommend(replace(request, exclude_items=exclude_items), k)
        found = lists.items[0] >= 0
        return torch.from_numpy(lists.items[0][found]), torch.from_numpy(lists.scores[0][found])
