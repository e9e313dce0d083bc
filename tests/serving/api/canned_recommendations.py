"""A recommender of a few films that always says the same: what HTTP adds is tested without models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from recsys_serving.recommending.assignments import Treatment
from recsys_serving.recommending.catalogue.catalogue_description import CatalogueDescription, ColumnDescription
from recsys_serving.recommending.counterfactual_lists import PastQuery
from recsys_serving.recommending.inspection import CandidateStep, RecommendationTrace, StageTime
from recsys_serving.recommending.types import (
    AnsweredItem,
    CatalogueItem,
    ElicitationAnswer,
    LoadedBundle,
    RecommendationAnswer,
    RecommendationQuery,
    SearchAnswer,
    SimilarAnswer,
)
from recsys_serving.resilience.deadline import Deadline

from recsys.errors import BundleError, RequestError

FILMS = {"a": "Alien", "b": "Brazil", "c": "Casablanca"}


class CannedRecommendations:
    """Stands where :class:`recsys_serving.recommending.service.RecommendationService` does."""

    def __init__(self) -> None:
        self.queries: list[RecommendationQuery] = []
        self.changed: list[str] = []
        self.live = "first"

    def recommend(self, queries: Sequence[RecommendationQuery]) -> list[RecommendationAnswer]:
        self.queries += queries
        return [self._answer(query) for query in queries]

    def inspect(
        self, query: RecommendationQuery, treatment: Treatment | None, is_traced: bool
    ) -> tuple[RecommendationAnswer, RecommendationTrace | None]:
        self.queries.append(query)
        answer = self._answer(query)
        if treatment is not None:
            answer = replace(answer, bundle=treatment.bundle or "first", variant=treatment.variant)
        steps = tuple(
            CandidateStep(item.item_id, item.title, item.score, None, None, place, item.rank)
            for place, item in enumerate(answer.items, 1)
        )
        stages = (StageTime("model", 2.0), StageTime("retrieve", 1.0, "model"))
        trace = RecommendationTrace(stages, "EASE", None, None, len(steps), {}, len(steps), steps, 0)
        return answer, trace if is_traced else None

    def _answer(self, query: RecommendationQuery) -> RecommendationAnswer:
        if query.filters and "colour" in query.filters:
            raise RequestError("The items have no column 'colour'.")
        if query.scenario == "bug":
            raise ZeroDivisionError("secret-value")
        return RecommendationAnswer(
            recommendation_id=str(uuid4()),
            user_id=query.user_id,
            items=self._items(query.k),
            model_version="first",
            bundle="first",
            variant="control",
            experiment_id="one",
            degraded=("store",) if query.scenario == "outage" else (),
        )

    def similar(self, item_id: str, k: int = 10, by: str = "model", metadata: Sequence[str] = ()) -> SimilarAnswer:
        return SimilarAnswer(item_id, self._items(k, metadata), "alike", by, "first")  # type: ignore[arg-type]

    def search(self, text: str, limit: int = 20, offset: int = 0, metadata: Sequence[str] = ()) -> SearchAnswer:
        found = [item for item in self._items(3, metadata) if text.lower() in item.title.lower()]
        return SearchAnswer(tuple(found[offset : offset + limit]), len(found))

    def elicitation(
        self, k: int = 10, exclude_items: Sequence[str] = (), metadata: Sequence[str] = ()
    ) -> ElicitationAnswer:
        asked = [item for item in self._items(k, metadata) if item.item_id not in exclude_items]
        return ElicitationAnswer(tuple(asked), "first")

    def catalogue(self) -> CatalogueDescription:
        columns = (
            ColumnDescription("genres", "category", True, 0, 1, (("Drama", 3),)),
            ColumnDescription("year", "number", False, 3),
        )
        return CatalogueDescription("first", "films", 3, True, columns, "genres", (1.0, 5.0), None)

    def item(self, item_id: str) -> dict[str, Any] | None:
        if item_id not in FILMS:
            return None
        return {"title": FILMS[item_id], "available": True, "properties": {"genres": "Drama", "year": None}}

    def titles_of(self, item_ids: Sequence[str]) -> dict[str, str]:
        return {item_id: FILMS.get(item_id, item_id) for item_id in item_ids}

    def check_items(self, items: Sequence[CatalogueItem]) -> tuple[str, ...]:
        if any(isinstance(item.properties.get("year"), str) for item in items):
            raise RequestError("year must be a number.")
        return ()

    def add_items(self, items: Sequence[CatalogueItem]) -> None:
        self.changed += [f"add {item.item_id}" for item in items]

    def update_items(self, items: Sequence[CatalogueItem]) -> None:
        self.changed += [f"update {item.item_id}" for item in items]

    def remove_items(self, item_ids: Sequence[str]) -> None:
        self.changed += [f"remove {item_id}" for item_id in item_ids]

    def forget_user(self, user_id: str) -> None:
        self.changed.append(f"forget {user_id}")

    def past_lists(
        self,
        queries: Sequence[PastQuery],
        bundle: str | None,
        list_options: Mapping[str, Any],
        deadline: Deadline,
        with_pool: bool = False,
    ) -> list[list[str]]:
        if bundle not in (None, self.live):
            raise BundleError(f"{bundle} is not open.")
        return [list(FILMS)[: query.k] for query in queries]

    def bundles(self) -> list[LoadedBundle]:
        return [LoadedBundle(self.live, "f" * 64, "EASE", True, 1, 3, 2, None, "films")]

    def available_bundles(self) -> list[str]:
        return ["first", "second"]

    def activate(self, name: str, actor: str, note: str | None = None) -> LoadedBundle:
        self.live = name
        return self.bundles()[0]

    def roll_back(self, actor: str, note: str | None = None) -> LoadedBundle:
        return self.activate("first", actor, note)

    def close(self) -> None:
        pass

    def _items(self, k: int, columns: Sequence[str] = ()) -> tuple[AnsweredItem, ...]:
        metadata: Mapping[str, Any] = dict.fromkeys(columns, "Drama")
        films = list(FILMS.items())[:k]
        return tuple(AnsweredItem(key, title, 1.0 / rank, rank, metadata) for rank, (key, title) in enumerate(films, 1))
