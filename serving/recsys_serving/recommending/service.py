"""The one way from a query to an answer, whoever asks: HTTP, a test, a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from recsys.runtime.recommendation import SimilarityKind
from recsys_serving.recommending.types import (
    CatalogueItem,
    ElicitationAnswer,
    LoadedBundle,
    RecommendationAnswer,
    RecommendationQuery,
    SearchAnswer,
    SimilarAnswer,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendingOptions:
    """How the service answers.

    Args:
        bundles: the directory with the bundles, each by the name of its directory.
        bundle: name of the one that is live where the store does not say.
        runtime: ``inprocess``, or ``triton`` with the bundle in process as what is asked when Triton is away.
        triton_url: of Triton's gRPC port; None in process.
        cursor_secret: signs cursors; the same in every worker and after every restart.
        deadline_seconds: that one answer may take, whatever is slow.
        store_timeout_seconds: that the store may take for one answer.
        runtime_timeout_seconds: that Triton may take for one answer.
        cache_ttl_seconds: that an answer is kept; 0 keeps none.
        history_limit: latest interactions of a user that the models get.
        interaction_types: that make a history; None: all.
        merge_bundle_histories: whether a stored history goes on from that of the bundle; False where the store has
            all interactions, so that a deleted one is gone at once.
        max_k: longest list or page.
    """

    bundles: Path
    bundle: str
    cursor_secret: bytes
    runtime: Literal["inprocess", "triton"] = "inprocess"
    triton_url: str | None = None
    deadline_seconds: float = 0.5
    store_timeout_seconds: float = 0.1
    runtime_timeout_seconds: float = 0.25
    cache_ttl_seconds: float = 60.0
    history_limit: int = 500
    interaction_types: tuple[str, ...] | None = None
    merge_bundle_histories: bool = True
    max_k: int = 1000


class RecommendationService:
    """Answers queries; any number of threads may ask at once.

    Made by :func:`recsys_serving.recommending.assembly.open_service`, and closed once.

    Args:
        options: how it answers.
        on_stage: told the name and the seconds of each stage of an answer, for metrics.
    """

    def __init__(self, options: RecommendingOptions, on_stage: Callable[[str, float], None]) -> None:
        raise NotImplementedError

    def recommend(self, queries: Sequence[RecommendationQuery]) -> list[RecommendationAnswer]:
        """A list for each query, in their order. Only a wrong query is an error.

        Raises:
            RecsysError: a query names a column or value that does not exist, a value is out of range, or a cursor is
                not one of this service or belongs to another query.
        """
        raise NotImplementedError

    def similar(
        self, item_id: str, k: int = 10, by: SimilarityKind = "model", metadata: Sequence[str] = ()
    ) -> SimilarAnswer:
        """The items that are most like one.

        Raises:
            RequestError: the item does not exist, or ``k`` is not positive.
        """
        raise NotImplementedError

    def search(self, text: str, limit: int = 20, offset: int = 0, metadata: Sequence[str] = ()) -> SearchAnswer:
        """Items by their titles: as typed, misspelt, without accents, or by how a title begins."""
        raise NotImplementedError

    def elicitation(self, k: int = 10, exclude_items: Sequence[str] = ()) -> ElicitationAnswer:
        """Items to ask a new user about."""
        raise NotImplementedError

    def item(self, item_id: str) -> dict[str, Any] | None:
        """Title and columns of an item as they are served, also of one that only the bundle has; None: unknown."""
        raise NotImplementedError

    def check_items(self, items: Sequence[CatalogueItem]) -> tuple[str, ...]:
        """Require that the live bundle can take items, before they are stored.

        Returns:
            Notes, such as that the model does not know new items by their content.

        Raises:
            RequestError: a value is of another type than its column.
        """
        raise NotImplementedError

    def add_items(self, items: Sequence[CatalogueItem]) -> None:
        """Serve new or changed items in this worker at once, after the store or the spool has them.

        Other workers, and this one after a restart, learn of them from the store.
        """
        raise NotImplementedError

    def update_items(self, items: Sequence[CatalogueItem]) -> None:
        """The same for changed values of known items."""
        raise NotImplementedError

    def remove_items(self, item_ids: Sequence[str]) -> None:
        """The same for items that are recommended no more; unknown ones are left alone."""
        raise NotImplementedError

    def bundles(self) -> list[LoadedBundle]:
        """The bundles that this worker has open, the live one first."""
        raise NotImplementedError

    def available_bundles(self) -> list[str]:
        """Names of the bundles in the directory, open or not."""
        raise NotImplementedError

    def activate(self, name: str, actor: str, note: str | None = None) -> LoadedBundle:
        """Let another bundle answer, in this worker at once and in each other one from its next answer on.

        Raises:
            BundleError: it is missing or damaged, or does not fit the catalogue; nothing changes.
            StoreUnavailable: the deployment cannot be noted; nothing changes.
        """
        raise NotImplementedError

    def roll_back(self, actor: str, note: str | None = None) -> LoadedBundle:
        """Let the bundle before answer again.

        Raises:
            BundleError: there was none.
            StoreUnavailable: see :meth:`activate`.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Write what was not written yet, and let everything go."""
        raise NotImplementedError
