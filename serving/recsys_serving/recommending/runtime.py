"""What scores: a model server with the bundle in this process behind it, and behind that what is popular."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from recsys.errors import RecsysError
from recsys.runtime.recommendation import Recommendation
from recsys.runtime.request import RecommendationRequest
from recsys_serving.recommending.catalogue.open_bundle import OpenBundle
from recsys_serving.recommending.model_server import RUNTIME, ModelServer, allowed_items
from recsys_serving.resilience.deadline import Deadline
from recsys_serving.resilience.dependency import DependencyUnavailable
from recsys_serving.resilience.health import HealthRegistry

_log = logging.getLogger(__name__)

NOT_SCORED = "The model could not be asked: here is what is popular."


class Runtime:
    """Asks whatever scores; threads may share it.

    Args:
        health: is told how it does, under ``runtime``.
        server: a model server, which the runtime closes; None: bundles answer in this process.
    """

    def __init__(self, health: HealthRegistry, server: ModelServer | None = None) -> None:
        self._health, self._server = health, server
        health.register(RUNTIME)

    def recommend(
        self, opened: OpenBundle, requests: Sequence[RecommendationRequest], deadline: Deadline
    ) -> tuple[list[Recommendation], bool]:
        """A list for each request, and whether something had to be done without.

        Raises:
            RecsysError: a request names what does not exist, or a value is out of range.
        """
        lists: dict[int, Recommendation] = {}
        is_degraded = False
        if self._server is not None:
            lists, is_degraded = self._of_server(self._server, opened, requests, deadline)
        left = [place for place in range(len(requests)) if place not in lists]
        if left:
            made, is_away = self._in_process(opened, [requests[place] for place in left])
            lists.update(zip(left, made, strict=True))
            is_degraded |= is_away
        return [lists[place] for place in range(len(requests))], is_degraded

    def close(self) -> None:
        """Let its threads go."""
        if self._server is not None:
            self._server.close()

    def _of_server(
        self, server: ModelServer, opened: OpenBundle, requests: Sequence[RecommendationRequest], deadline: Deadline
    ) -> tuple[dict[int, Recommendation], bool]:
        """Lists of the server by the places of their requests, and whether it should have answered and did not."""
        places = [place for place, request in enumerate(requests) if server.can_answer(opened, request)]
        if not places:
            return {}, False
        try:
            found = server.recommend(opened, [requests[place] for place in places], deadline)
        except DependencyUnavailable:
            return {}, True
        return dict(zip(places, found, strict=True)), False

    def _in_process(
        self, opened: OpenBundle, requests: Sequence[RecommendationRequest]
    ) -> tuple[list[Recommendation], bool]:
        """A list for each request, and whether the model could not be asked."""
        try:
            if len(requests) == 1:
                lists = [opened.recommender.recommend_one(requests[0])]
            else:
                lists = opened.recommender.recommend(requests)
        except RecsysError:
            raise
        except Exception as error:
            _log.exception("%s could not be asked.", opened.name)
            self._health.failed(RUNTIME, error)
            return [recommend_popular(opened, request) for request in requests], True
        if self._server is None:
            self._health.succeeded(RUNTIME)
        return lists, False


def recommend_popular(opened: OpenBundle, request: RecommendationRequest) -> Recommendation:
    """What is popular among the items that a request allows, without any model.

    Raises:
        RecsysError: a filter names what does not exist.
    """
    allowed = allowed_items(opened, request).copy()
    rows = opened.recommender.items_of([*request.exclude_items, *(request.history or ())])
    if request.exclude_seen is None or request.exclude_seen.excludes:  # type: ignore[union-attr]
        allowed[rows[(rows >= 0) & (rows < len(allowed))]] = False
    popularity = opened.recommender.catalogue.popularity[: len(allowed)]
    best = np.argsort(np.where(allowed, -popularity, np.inf), kind="stable")[: request.k]
    best = best[allowed[best]]
    return Recommendation(
        item_ids=opened.recommender.ids_of(best),
        scores=popularity[best].tolist(),
        personalized=False,
        model_version=opened.bundle.manifest.name,
        notes=(NOT_SCORED,),
    )
