"""What scores: a model server with the bundle in this process behind it, and behind that what is popular."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from recsys.errors import RecsysError, ServingError
from recsys.retrieval.types import BoolArray
from recsys.runtime.recommendation import Recommendation, Recommender
from recsys.runtime.request import RecommendationRequest
from recsys_serving.recommending.catalogue.open_bundle import OpenBundle
from recsys_serving.resilience.deadline import Deadline
from recsys_serving.resilience.dependency import Dependency, DependencyPolicy, DependencyUnavailable
from recsys_serving.resilience.health import HealthRegistry

_log = logging.getLogger(__name__)

NOT_SCORED = "The model could not be asked: here is what is popular."


class Runtime:
    """Asks whatever scores; threads may share it.

    A model server knows the items of its own export. What this process knows better, items that are gone and values
    that filters read, is looked at after its answer; items that came since are recommended in this process alone.

    Args:
        health: is told how it does, under ``runtime``.
        server: a model server; None: bundles answer in this process.
        server_bundle: name of the bundle that the server answers for; any other answers in this process.
        timeout_seconds: that the server may take.
        threshold: failures in a row after which it is left alone.
        open_seconds: that it is left alone then.
    """

    def __init__(
        self,
        health: HealthRegistry,
        server: Recommender | None = None,
        server_bundle: str | None = None,
        timeout_seconds: float = 0.25,
        threshold: int = 3,
        open_seconds: float = 2.0,
    ) -> None:
        self._server, self._server_bundle = server, server_bundle
        self._health = health
        self._dependency: Dependency | None = None
        health.register("runtime")
        if server is not None:
            policy = DependencyPolicy(
                threshold=threshold,
                open_seconds=open_seconds,
                timeout_seconds=timeout_seconds,
                failures=(ServingError, OSError),
            )
            self._dependency = Dependency("runtime", policy, health)

    def recommend(
        self, opened: OpenBundle, requests: Sequence[RecommendationRequest], deadline: Deadline
    ) -> tuple[list[Recommendation], bool]:
        """A list for each request, and whether something had to be done without.

        Raises:
            RecsysError: a request names what does not exist, or a value is out of range.
        """
        is_degraded = False
        if self._server is not None and self._dependency is not None and opened.name == self._server_bundle:
            try:
                return self._of_server(self._server, self._dependency, opened, requests, deadline), False
            except DependencyUnavailable:
                is_degraded = True
        try:
            if len(requests) == 1:
                lists = [opened.recommender.recommend_one(requests[0])]
            else:
                lists = opened.recommender.recommend(requests)
        except RecsysError:
            raise
        except Exception as error:
            _log.exception("%s could not be asked.", opened.name)
            self._health.failed("runtime", error)
            return [recommend_popular(opened, request) for request in requests], True
        if self._server is None:
            self._health.succeeded("runtime")
        return lists, is_degraded

    def close(self) -> None:
        """Let its threads go."""
        if self._dependency is not None:
            self._dependency.close()

    def _of_server(
        self,
        server: Recommender,
        dependency: Dependency,
        opened: OpenBundle,
        requests: Sequence[RecommendationRequest],
        deadline: Deadline,
    ) -> list[Recommendation]:
        lists = dependency.call(lambda: server.recommend(requests), deadline)
        allowed = [_allowed(opened, request) for request in requests]
        kept = [_kept(opened, one, mask) for one, mask in zip(lists, allowed, strict=True)]
        # A list that lost items here, and could be longer, is made in this process.
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


def recommend_popular(opened: OpenBundle, request: RecommendationRequest) -> Recommendation:
    """What is popular among the items that a request allows, without any model.

    Raises:
        RecsysError: a filter names what does not exist.
    """
    allowed = _allowed(opened, request).copy()
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


def _allowed(opened: OpenBundle, request: RecommendationRequest) -> BoolArray:
    state = opened.recommender.catalogue
    return state.available if request.filters is None else state.available & opened.mask(request.filters)


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
