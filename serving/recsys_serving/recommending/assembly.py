"""Puts the service together from its options, the store, the spool and the cache."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container
from functools import partial

from recsys_serving.cache.background_writes import BackgroundWrites
from recsys_serving.cache.guarded_cache import GuardedCache
from recsys_serving.cache.recommendation_cache import RecommendationCache
from recsys_serving.recommending.answering import Answering, AnsweringParts
from recsys_serving.recommending.assignments import Assignments
from recsys_serving.recommending.catalogue.bundle_pool import BundlePool
from recsys_serving.recommending.catalogue.deployments import Deployments
from recsys_serving.recommending.catalogue.open_bundle import OpenBundle
from recsys_serving.recommending.catalogue.worker_sync import CatalogueItems, WorkerSync
from recsys_serving.recommending.counterfactual_lists import CounterfactualLists
from recsys_serving.recommending.exposure_log import ExposureLog, OnExposures
from recsys_serving.recommending.inspection import ListInspector
from recsys_serving.recommending.item_counts import ItemCounts
from recsys_serving.recommending.list_maker import ListMaker
from recsys_serving.recommending.model_server import ModelServer
from recsys_serving.recommending.options import RecommendingOptions
from recsys_serving.recommending.runtime import Runtime
from recsys_serving.recommending.service import RecommendationService
from recsys_serving.recommending.stages import StageTimer
from recsys_serving.recommending.user_states import UserStates
from recsys_serving.resilience.dependency import Dependency, DependencyPolicy
from recsys_serving.resilience.health import HealthRegistry
from recsys_serving.spool.spool import Spool
from recsys_serving.store.errors import StoreUnavailable
from recsys_serving.store.events.records import Repeats
from recsys_serving.store.store import Store
from recsys_serving.triton.client import TritonRecommender

_log = logging.getLogger(__name__)

#: Names under which dependencies are known to health and metrics.
STORE, CACHE = "store", "cache"

#: That the first reading of items, deployments and experiments may take before the service answers without it.
START_SECONDS = 30.0


def open_service(
    options: RecommendingOptions,
    store: Store | None,
    spool: Spool | None,
    cache: RecommendationCache | None,
    health: HealthRegistry,
    on_stage: Callable[[str, float], None] = lambda stage, seconds: None,
    erased: Container[str] = (),
    on_exposures: OnExposures = lambda fate, experiment_id, variant, number: None,
) -> RecommendationService:
    """Open the live bundle and everything around it.

    The service opens while the store is away: it answers from the bundle that the options name, and from what the spool
    has, and takes over the rest when the store is back. It starts threads, and must be opened in the process that
    answers, after it was forked, and closed before its store and its spool are.

    Args:
        options: how it answers.
        store: what all workers share; None: bundles and requests alone are known.
        spool: what waits for the store; None: nothing does.
        cache: of lists; None: none are kept. The service closes it.
        health: is told how store, cache and runtime do.
        erased: users who are known to be erased while the store is away.
        on_stage: is told the name (of :data:`recsys_serving.recommending.stages.STAGES`) and the seconds of each stage.
        on_exposures: is told what becomes of the lists that are noted.

    Raises:
        BundleError: the bundle that the options name cannot be opened.
        ServingError: Triton's client is not installed.
    """
    items = CatalogueItems()

    def prepare(opened: OpenBundle) -> None:
        items.lay_over(opened)
        opened.search()  # so that the first search does not wait for the titles

    make = partial(OpenBundle, num_batches=options.num_batches)
    pool = BundlePool(options.bundles, options.bundle, prepare, make)
    answers = Dependency(STORE, _store_policy(options, options.store_timeout_seconds), health)
    assignments = Assignments()
    sync: WorkerSync | None = None
    if store is not None:
        reads = Dependency(STORE, _store_policy(options, None), health)
        sync = WorkerSync(store, spool, reads, pool, items, assignments)
        if not sync.start(START_SECONDS):
            _log.warning("The store is away: answers come from %s until it is back.", pool.live.name)

    def repeats() -> Repeats:
        return "all" if pool.live.bundle.manifest.data.repeats else "latest"

    users = UserStates(
        store,
        spool,
        answers,
        options.history_limit,
        options.interaction_types,
        options.known_users,
        repeats,
        # As stale as a list of the cache may be.
        history_seconds=options.cache_ttl_seconds,
        erased=erased,
        seen_limit=options.seen_limit,
    )
    triton = _triton(options)
    runtime = Runtime(health, None if triton is None else _model_server(options, triton, health))
    lists: GuardedCache | BackgroundWrites | None = None
    if cache is not None and options.cache_ttl_seconds > 0:
        guarded = GuardedCache(cache, health, options.breaker_threshold, options.breaker_seconds)
        lists = BackgroundWrites(guarded, options.cache_queue_size) if options.cache_queue_size else guarded
    exposures = None
    if store is not None:
        exposures = ExposureLog(store, spool, options.exposure_queue_size, options.exposure_flush_seconds, on_exposures)
    counts = None
    if store is not None:
        counts = ItemCounts(store, options.item_counts)
        counts.start()
    maker = ListMaker(runtime, options.merge_bundle_histories)
    parts = AnsweringParts(
        options=options,
        pool=pool,
        items=items,
        users=users,
        assignments=assignments,
        sync=sync,
        cache=lists,
        maker=maker,
        exposures=exposures,
        counts=counts,
        timer=StageTimer(on_stage),
        closers=(
            runtime.close,
            *([] if counts is None else [counts.close]),
            answers.close,
            *([] if triton is None else [triton.close]),
        ),
    )
    past_lists = None if store is None else CounterfactualLists(options, pool, maker, store)
    return RecommendationService(
        options, pool, items, Answering(parts), Deployments(pool, store), ListInspector(parts), past_lists
    )


def _store_policy(options: RecommendingOptions, timeout_seconds: float | None) -> DependencyPolicy:
    return DependencyPolicy(
        threshold=options.breaker_threshold,
        open_seconds=options.breaker_seconds,
        timeout_seconds=timeout_seconds,
        failures=(StoreUnavailable, OSError),
    )


def _triton(options: RecommendingOptions) -> TritonRecommender | None:
    if options.runtime != "triton":
        return None
    assert options.triton_url is not None, "the options have checked it"
    return TritonRecommender(options.triton_url, timeout_seconds=options.runtime_timeout_seconds)


def _model_server(options: RecommendingOptions, triton: TritonRecommender, health: HealthRegistry) -> ModelServer:
    return ModelServer(
        triton, health, options.runtime_timeout_seconds, options.breaker_threshold, options.breaker_seconds
    )
