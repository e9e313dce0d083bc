"""Lists of a model server that has the bundles of this process, and when not to ask it.

A server knows the items of its own export. Whatever the service has been told since that may change a list, an item
that came or another value in a column that a filter reads, it does not know; such lists are made in this process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from recsys.errors import ServingError
from recsys.retrieval.types import BoolArray
from recsys.runtime.recommendation import Recommendation
from recsys.runtime.request import RecommendationRequest
from recsys_serving.recommending.catalogue.open_bundle import OpenBundle
from recsys_serving.resilience.deadline import Deadline
from recsys_serving.resilience.dependency import Dependency, DependencyPolicy, DependencyUnavailable
from recsys_serving.resilience.health import HealthRegistry
from recsys_serving.triton.client import TritonRecommender, VersionNotServed
from recsys_serving.triton.served_bundle import version_of

#: Name of the dependency, for health and metrics.
RUNTIME = "runtime"


class ModelServer:
    """Asks a model server for the lists of open bundles; threads may share it.

    Each bundle is asked for by the version that its export has in a repository. A server that has another version is
    not asked for this one again for a while.

    Args:
        recommender: of the server.
        health: is told how it does, under ``runtime``.
        timeout_seconds: that it may take.
        threshold: failures in a row after which it is left alone.
        open_seconds: that it is left alone then, and that a version is not asked for again which it does not have.
        monotonic: clock, in seconds.
    """

    def __init__(
        self,
        recommender: TritonRecommender,
        health: HealthRegistry,
        timeout_seconds: float,
        threshold: int,
        open_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        policy = DependencyPolicy(
            threshold=threshold,
            open_seconds=open_seconds,
            timeout_seconds=timeout_seconds,
            failures=(ServingError, OSError),
        )
        self._recommender, self._health = recommender, health
        self._dependency = Dependency(RUNTIME, policy, health)
        self._open_seconds, self._monotonic = open_seconds, monotonic
        #: When a version is asked for again.
        self._missing: dict[int, float] = {}

    def can_answer(self, opened: OpenBundle, request: RecommendationRequest) -> bool:
        """Whether the items of the export are enough for the list of a request."""
        if opened.since_export.changes(request, opened.bundle.manifest.data.content_column):
            return False
        return not opened.is_new([*request.exclude_items, *(request.history or ())])

    def recommend(
        self, opened: OpenBundle, requests: Sequence[RecommendationRequest], deadline: Deadline
    ) -> list[Recommendation]:
        """A list for each request that :meth:`can_answer`, without items that are gone since.

        Raises:
            RequestError: a request is wrong.
            DependencyUnavailable: the server is away, or does not have this bundle.
        """
        version = version_of(opened.bundle)
        if self._monotonic() < self._missing.get(version, 0.0):
            raise DependencyUnavailable(f"The model server does not have version {version} of {opened.name}.")
        found = self._dependency.call(lambda: self._asked(requests, version), deadline)
        if isinstance(found, VersionNotServed):
            self._missing[version] = self._monotonic() + self._open_seconds
            self._health.failed(RUNTIME, found)
            raise DependencyUnavailable(str(found)) from found
        self._missing.pop(version, None)
        return _without_gone(opened, requests, found)

    def close(self) -> None:
        """Let its threads go."""
        self._dependency.close()

    def _asked(
        self, requests: Sequence[RecommendationRequest], version: int
    ) -> list[Recommendation] | VersionNotServed:
        """The lists; that a version is missing is an answer too, and no failure of the server."""
        try:
            return self._recommender.recommend(requests, version)
        except VersionNotServed as error:
            return error


def allowed_items(opened: OpenBundle, request: RecommendationRequest) -> BoolArray:
    """Whether each item of a catalogue is there and passes the filters of a request, shape [I].

    Raises:
        RecsysError: a filter names what does not exist.
    """
    state = opened.recommender.catalogue
    return state.available if request.filters is None else state.available & opened.mask(request.filters)


def _without_gone(
    opened: OpenBundle, requests: Sequence[RecommendationRequest], lists: Sequence[Recommendation]
) -> list[Recommendation]:
    """The lists without items that are gone here; one that loses some, and could be longer, is made in this process."""
    kept = [_kept(opened, one, allowed_items(opened, request)) for one, request in zip(lists, requests, strict=True)]
    short = [
        place
        for place, (one, before, request) in enumerate(zip(kept, lists, requests, strict=True))
        if len(one.item_ids) < len(before.item_ids) <= request.k
    ]
    if short:
        made = opened.recommender.recommend([requests[place] for place in short])
        for place, one in zip(short, made, strict=True):
            kept[place] = one
    return kept


def _kept(opened: OpenBundle, one: Recommendation, allowed: BoolArray) -> Recommendation:
    """The list without the items that are not allowed here; items that are unknown here are not allowed either."""
    rows = opened.recommender.items_of(one.item_ids)
    keeps = [0 <= row < len(allowed) and bool(allowed[row]) for row in rows.tolist()]
    if all(keeps):
        return one
    places = [place for place, keep in enumerate(keeps) if keep]
    return replace(
        one,
        item_ids=[one.item_ids[place] for place in places],
        scores=[one.scores[place] for place in places],
        explanations=None if one.explanations is None else tuple(one.explanations[place] for place in places),
    )
