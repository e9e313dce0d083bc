"""Contestants that answer from lists of the test's choosing; nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from recsys.data.columns import ITEM_ID, USER_ID
from recsys.data.vocabulary import Vocabulary
from recsys.runtime.recommendation import Recommendation, SimilarItems, SimilarityKind
from recsys.runtime.request import RecommendationRequest
from recsys.studies.newer_data.contestants import Contestant
from tests.studies.comparison.made_runs import MANIFEST


@dataclass(frozen=True)
class FromLists:
    """Recommends to each user what stands in their list, but what is excluded; strangers get the list of ``None``.

    It keeps the requests.
    """

    lists: Mapping[str | None, Sequence[str]]
    requests: list[RecommendationRequest] = field(default_factory=list)

    def recommend(self, requests: Sequence[RecommendationRequest]) -> list[Recommendation]:
        self.requests.extend(requests)
        return [self.recommend_one(request) for request in requests]

    def recommend_one(self, request: RecommendationRequest) -> Recommendation:
        found = self.lists.get(request.user_id, self.lists.get(None, ()))
        items = [item for item in found if item not in request.exclude_items][: request.k]
        return Recommendation(items, [0.0] * len(items), True, "made")

    def similar(self, item_ids: Sequence[str], k: int, by: SimilarityKind = "model") -> list[SimilarItems]:
        raise NotImplementedError


def contestant(
    label: str,
    known: Sequence[tuple[str, str]],
    lists: Mapping[str | None, Sequence[str]] | None = None,
    items: str = "abcdef",
    is_bundle: bool = False,
    threshold: float | None = None,
) -> Contestant:
    """One that knows the users and pairs of ``known`` and the items, a letter each."""
    users = Vocabulary.from_ids(pa.array([user for user, _ in known]), USER_ID)
    catalogue = Vocabulary.from_ids(pa.array(list(items)), ITEM_ID)
    return Contestant(
        label,
        Path("bundles" if is_bundle else "runs") / label,
        is_bundle,
        FromLists(lists or {}),
        MANIFEST,
        users,
        catalogue,
        np.asarray(users.index_of([user for user, _ in known])),
        np.asarray(catalogue.index_of([item for _, item in known])),
        threshold,
    )
