"""The one way from a query to an answer, whoever asks: HTTP, a test, a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from recsys.errors import BundleError, RequestError
from recsys.runtime.recommendation import SimilarityKind
from recsys.runtime.similar_items import check_similar_request
from recsys_serving.recommending.answering import Answering
from recsys_serving.recommending.assignments import Treatment
from recsys_serving.recommending.catalogue.bundle_pool import BundlePool
from recsys_serving.recommending.catalogue.catalogue_description import CatalogueDescription
from recsys_serving.recommending.catalogue.deployments import Deployments
from recsys_serving.recommending.catalogue.elicitation import ElicitationItems
from recsys_serving.recommending.catalogue.open_bundle import OpenBundle
from recsys_serving.recommending.catalogue.worker_sync import CatalogueItems
from recsys_serving.recommending.counterfactual_lists import CounterfactualLists, PastQuery
from recsys_serving.recommending.exposure_log import ExposureCounts
from recsys_serving.recommending.inspection import ListInspector, RecommendationTrace
from recsys_serving.recommending.options import RecommendingOptions
from recsys_serving.recommending.query_plan import check_columns
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

#: Longest text of a search.
MAX_TEXT = 200
#: Items of a page of a search, at most.
MAX_PAGE = 1_000


class RecommendationService:
    """Answers queries; any number of threads may ask at once.

    Made by :func:`recsys_serving.recommending.assembly.open_service`, and closed once.

    Args:
        options: how it answers.
        pool: of the bundles.
        items: of the API.
        answering: makes the lists.
        deployments: makes bundles live.
        inspector: makes lists for people who look at the service.
        past_lists: makes lists of the past again; None: there is no store to know the past by.
    """

    def __init__(
        self,
        options: RecommendingOptions,
        pool: BundlePool,
        items: CatalogueItems,
        answering: Answering,
        deployments: Deployments,
        inspector: ListInspector,
        past_lists: CounterfactualLists | None = None,
    ) -> None:
        self._options, self._pool, self._items = options, pool, items
        self._answering, self._deployments, self._inspector = answering, deployments, inspector
        self._elicitation = ElicitationItems()
        self._past_lists = past_lists

    def recommend(self, queries: Sequence[RecommendationQuery]) -> list[RecommendationAnswer]:
        """A list for each query, in their order. Only a wrong query is an error.

        Raises:
            RecsysError: a query names a column or value that does not exist, a value is out of range, or a cursor is
                not one of this service or belongs to another query.
        """
        return self._answering.answer(queries)

    def inspect(
        self, query: RecommendationQuery, treatment: Treatment | None, is_traced: bool
    ) -> tuple[RecommendationAnswer, RecommendationTrace | None]:
        """A list as a bundle or a variant makes it, and the way to it; see :class:`ListInspector`.

        Raises:
            RecsysError: as for :meth:`recommend`, or the bundle cannot be opened.
        """
        return self._inspector.answer(query, treatment, is_traced)

    def similar(
        self, item_id: str, k: int = 10, by: SimilarityKind = "model", metadata: Sequence[str] = ()
    ) -> SimilarAnswer:
        """The items that are most like one.

        Raises:
            RequestError: the item or a column does not exist, or ``k`` is not from 1 to ``max_k``.
        """
        is_degraded = self._answering.look_for_news()
        check_similar_request(k, by)
        if k > self._options.max_k:
            raise RequestError(f"k must be a whole number from 1 to {self._options.max_k:,}, but it is {k}.")
        opened = self._pool.live
        if item_id in opened.overlay.unplaced:
            measure = "an item that was added since, which the model does not know"
            return SimilarAnswer(item_id, (), measure, by, opened.name)
        found = opened.recommender.similar([item_id], k, by)[0]
        items = _answered(opened, list(zip(found.item_ids, found.similarities, strict=True)), metadata)
        return SimilarAnswer(item_id, items, found.measure, by, opened.name, ("store",) if is_degraded else ())

    def search(self, text: str, limit: int = 20, offset: int = 0, metadata: Sequence[str] = ()) -> SearchAnswer:
        """Items by their titles: as typed, misspelt, without accents, or by how a title begins.

        Raises:
            RequestError: the text is too long, ``limit`` or ``offset`` is out of range, or a column does not exist.
        """
        if len(text) > MAX_TEXT:
            raise RequestError(f"A text to search for may have {MAX_TEXT} characters, but this one has {len(text)}.")
        if not 1 <= limit <= MAX_PAGE or offset < 0:
            raise RequestError(f"limit must be from 1 to {MAX_PAGE:,}, and offset 0 or more.")
        self._answering.look_for_news()
        opened = self._pool.live
        found, total = opened.search().search(text, limit, offset)
        items = _answered(opened, [(match.item_id, match.likeness) for match in found], metadata)
        return SearchAnswer(tuple(replace(item, rank=item.rank + offset) for item in items), total)

    def elicitation(
        self, k: int = 10, exclude_items: Sequence[str] = (), metadata: Sequence[str] = ()
    ) -> ElicitationAnswer:
        """Items to ask a new user about.

        Raises:
            RequestError: ``k`` is not from 1 to ``max_k``, or a column does not exist.
        """
        check_similar_request(k, "model")
        if k > self._options.max_k:
            raise RequestError(f"k must be a whole number from 1 to {self._options.max_k:,}, but it is {k}.")
        self._answering.look_for_news()
        opened = self._pool.live
        chosen = self._elicitation.choose(opened, k, exclude_items)
        counted = [(name, float(count)) for name, count in chosen]
        return ElicitationAnswer(_answered(opened, counted, metadata), opened.name)

    def item(self, item_id: str) -> dict[str, Any] | None:
        """``title``, ``available`` and ``properties`` of an item as they are served; None: unknown.

        Also of one that only the bundle has, and of one that only the API has. One that was deleted is unknown.
        """
        self._answering.look_for_news()
        told = self._items.get(item_id)
        return None if told is not None and told.deleted else self._pool.live.overlay.item(item_id)

    def titles_of(self, item_ids: Sequence[str]) -> dict[str, str]:
        """Titles of items by their ids; the id where an item has none, or is unknown."""
        return dict(zip(item_ids, self._pool.live.overlay.titles_of(item_ids), strict=True))

    def catalogue(self) -> CatalogueDescription:
        """The columns of the items, with what they hold: what filters can be made of."""
        self._answering.look_for_news()
        return self._pool.live.description()

    def columns(self) -> list[str]:
        """Names of the items' columns, for filters and metadata."""
        return self._pool.live.overlay.columns()

    def check_items(self, items: Sequence[CatalogueItem]) -> tuple[str, ...]:
        """Require that the live bundle can take items, before they are stored.

        Returns:
            Notes, such as that the model does not know new items by their content.

        Raises:
            RequestError: a value is of another type than its column.
        """
        return tuple(note for item in items for note in self._pool.live.overlay.check(item))

    def add_items(self, items: Sequence[CatalogueItem]) -> None:
        """Serve new or changed items in this worker at once, after the store or the spool has them.

        Items are whole: what they do not say is as the bundle has it. Other workers, and this one after a restart,
        learn of them from the store.
        """
        self._items.change(items)

    def update_items(self, items: Sequence[CatalogueItem]) -> None:
        """The same for changes: a title that is None, and properties that are not told, stay as they are."""
        self._items.change([self._merged(item) for item in items])

    def remove_items(self, item_ids: Sequence[str]) -> None:
        """The same for items that are recommended no more; unknown ones are left alone."""
        self._items.change([CatalogueItem(item_id, available=False, deleted=True) for item_id in item_ids])

    def forget_user(self, user_id: str) -> None:
        """Let this worker remember a user no more, after an erasure."""
        self._answering.forget(user_id)

    def bundles(self) -> list[LoadedBundle]:
        """The bundles that this worker has open, the live one first."""
        live = self._pool.live
        return [opened.describe(opened is live) for opened in self._pool.opened()]

    def available_bundles(self) -> list[str]:
        """Names of the bundles in the directory, open or not."""
        return self._pool.names()

    def activate(self, name: str, actor: str, note: str | None = None) -> LoadedBundle:
        """Let another bundle answer, in this worker at once and in each other one from its next answer on.

        Raises:
            BundleError: it is missing or damaged; nothing changes.
            StoreUnavailable: the deployment cannot be noted; nothing changes.
        """
        opened = self._deployments.activate(name, actor, note)
        return opened.describe(live=True)

    def roll_back(self, actor: str, note: str | None = None) -> LoadedBundle:
        """Let the bundle before answer again.

        Raises:
            BundleError: there was none.
            StoreUnavailable: see :meth:`activate`.
        """
        name = self._deployments.previous()
        if name is None:
            raise BundleError(
                f"A bundle that was live before is required to go back to, but {self._pool.live.name} is the first. "
                "Activate another bundle."
            )
        return self.activate(name, actor, note)

    def past_lists(
        self,
        queries: Sequence[PastQuery],
        bundle: str | None,
        list_options: Mapping[str, Any],
        deadline: Deadline,
        with_pool: bool = False,
    ) -> list[list[str]]:
        """Ids of the lists that a bundle and options would have made at moments of the past.

        See :meth:`recsys_serving.recommending.counterfactual_lists.CounterfactualLists.make`.
        """
        if self._past_lists is None:
            raise RequestError("Without a store nothing is known of the past. Start the service with one.")
        return self._past_lists.make(queries, bundle, list_options, deadline, with_pool)

    def exposure_counts(self) -> ExposureCounts:
        """What became of the lists that were to be noted, since the process began."""
        return self._answering.exposure_counts()

    def close(self) -> None:
        """Write what was not written yet, and let everything go."""
        self._answering.close()

    def _merged(self, item: CatalogueItem) -> CatalogueItem:
        known = self._items.get(item.item_id) or CatalogueItem(item.item_id)
        properties = {**known.properties, **item.properties}
        return CatalogueItem(
            item.item_id,
            known.title if item.title is None else item.title,
            {name: value for name, value in properties.items() if value is not None},
            item.available,
        )


def _answered(
    opened: OpenBundle, scored: Sequence[tuple[str, float]], metadata: Sequence[str] = ()
) -> tuple[AnsweredItem, ...]:
    check_columns(metadata, opened.overlay.columns())
    details = opened.overlay.details([name for name, _ in scored], metadata)
    return tuple(
        AnsweredItem(name, title, score, rank, values)
        for rank, ((name, score), (title, values)) in enumerate(zip(scored, details, strict=True), start=1)
    )
