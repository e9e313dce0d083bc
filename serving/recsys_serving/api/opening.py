"""Opens all parts of the service from its settings: the one place that knows what is made of what."""

from __future__ import annotations

import os
from contextlib import ExitStack

import redis

from recsys.errors import SettingsError
from recsys_serving.api.cursor_signer import CursorSigner
from recsys_serving.api.health import HealthCheck, HealthChecks
from recsys_serving.api.observability.counted_cache import CountedCache
from recsys_serving.api.observability.metrics import ServiceMetrics
from recsys_serving.api.parts import ServiceParts
from recsys_serving.api.security.authenticator import Authenticator
from recsys_serving.api.security.guard import Guard
from recsys_serving.api.security.key_refresh import KeyRefresh
from recsys_serving.api.security.known_keys import KnownKeys
from recsys_serving.api.security.rate_limits import RateLimiter
from recsys_serving.cache.memory_cache import MemoryCache
from recsys_serving.cache.recommendation_cache import RecommendationCache
from recsys_serving.cache.redis_cache import RedisCache
from recsys_serving.experimenting.rollout_steps import RolloutSteps
from recsys_serving.local.installation import Installation
from recsys_serving.recommending.assembly import open_service
from recsys_serving.recommending.erased_mirror import ErasedMirror
from recsys_serving.recommending.model_server import RUNTIME
from recsys_serving.recommending.options import ItemCountOptions, RecommendingOptions
from recsys_serving.recommending.service import RecommendationService
from recsys_serving.resilience.health import HealthRegistry
from recsys_serving.resilience.repeating_thread import RepeatingThread
from recsys_serving.settings import MEMORY, ServiceSettings
from recsys_serving.spool.spool import Spool
from recsys_serving.store.connection.database import DatabaseSettings
from recsys_serving.store.store import Store
from recsys_serving.triton.client import VersionNotServed
from recsys_serving.writing.erasure import Eraser
from recsys_serving.writing.erasure_marks import ErasureMarks
from recsys_serving.writing.receipts import read_signer
from recsys_serving.writing.retention_job import FIRST_SECONDS, INTERVAL_SECONDS, RetentionJob, retention_policy
from recsys_serving.writing.spool_drain import SpoolDrain
from recsys_serving.writing.write_gateway import WriteGateway

#: Lists that wait to be written to Redis, at most.
_CACHE_QUEUE_SIZE = 1_000

#: Longest time between two looks at whether the API keys have changed.
_KEY_REFRESH_SECONDS = 60.0


def open_parts(settings: ServiceSettings, metrics: ServiceMetrics, stack: ExitStack) -> ServiceParts:
    """Open everything.

    Args:
        settings: with the addresses of PostgreSQL and Redis.
        metrics: told of stages and of what is spooled.
        stack: closes what was opened.

    Raises:
        SettingsError: an address is missing.
        BundleError: the bundle cannot be opened.
    """
    store, spool = open_store(settings, stack), open_spool(settings, stack)
    registry = HealthRegistry()
    cache = CountedCache(_open_cache(settings), metrics.count_cache)
    erased = ErasedMirror(Installation.of(settings).erased_users)
    recommendations = open_service(
        _options(settings), store, spool, cache, registry, metrics.observe_stage, erased, metrics.count_exposures
    )
    stack.callback(recommendations.close)
    return assemble(settings, metrics, store, spool, recommendations, stack, registry)


def assemble(
    settings: ServiceSettings,
    metrics: ServiceMetrics,
    store: Store,
    spool: Spool,
    recommendations: RecommendationService,
    stack: ExitStack,
    registry: HealthRegistry | None = None,
) -> ServiceParts:
    """The parts, with a store, a spool and a recommender that are open.

    Args:
        settings: of the installation.
        metrics: told of what is spooled.
        store: PostgreSQL.
        spool: what waits for it.
        recommendations: where lists come from.
        stack: closes what is opened here.
        registry: has how a model server does; None: there is none.
    """
    installation = Installation.of(settings)
    known_keys = KnownKeys(installation.known_keys)
    authenticator = Authenticator(store.api_keys, settings.key_ttl_seconds, settings.key_grace_seconds, file=known_keys)
    refresh = KeyRefresh(store.api_keys, known_keys, min(max(settings.key_ttl_seconds, 1.0), _KEY_REFRESH_SECONDS))
    refresh.start()
    stack.callback(refresh.close)
    limiter = RateLimiter(_redis_url(settings), settings.redis_timeout_seconds)
    eraser = Eraser(
        store,
        spool,
        read_signer(installation.receipt_key),
        lambda: [settings.bundles_directory / name for name in recommendations.available_bundles()],
        settings.bundle_retention_days,
        recommendations.forget_user,
        ErasedMirror(installation.erased_users),
    )
    drain = SpoolDrain(store, spool, settings.spool_drain_seconds)
    drain.start()
    stack.callback(drain.close)
    marks = ErasureMarks(
        store, ErasedMirror(installation.erased_users), eraser.bundle_directories, settings.bundle_retention_days
    )
    marks.read_once()
    expiry = RepeatingThread("erasure-marks", marks.apply_once, FIRST_SECONDS, INTERVAL_SECONDS)
    expiry.start()
    stack.callback(expiry.close)
    retention = RetentionJob(store, retention_policy(settings))
    retention.start()
    stack.callback(retention.close)
    rollouts = RolloutSteps(store, settings.rollout_seconds)
    rollouts.start()
    stack.callback(rollouts.close)
    checks = _checks(settings, store, spool, recommendations)
    if registry is not None and settings.runtime == "triton":
        checks["triton"] = HealthCheck(
            lambda: _require_up(registry), required=False, effect="lists come from the bundle in this process"
        )
    health = HealthChecks(checks)
    stack.callback(health.close)
    return ServiceParts(
        settings=settings,
        store=store,
        writes=WriteGateway(store, spool, metrics.count_spooled),
        recommendations=recommendations,
        eraser=eraser,
        authenticator=authenticator,
        guard=Guard(authenticator, limiter, settings),
        cursors=CursorSigner(installation.signing_secret(settings)),
        metrics=metrics,
        health=health,
    )


def open_store(settings: ServiceSettings, stack: ExitStack) -> Store:
    """The store; it need not answer yet.

    Raises:
        SettingsError: there is no address.
    """
    if settings.database_url is None:
        raise SettingsError(
            "database_url is required where the service was not started by scripts/serve.py, which starts a server of "
            "its own: set RECSYS_DATABASE_URL=postgresql://..."
        )
    store = Store.connect(
        settings.database_url.get_secret_value(),
        DatabaseSettings(
            pool_size=settings.database_pool_size,
            connect_timeout_seconds=settings.database_connect_timeout_seconds,
            statement_timeout_seconds=settings.database_timeout_seconds,
        ),
    )
    stack.callback(store.close)
    return store


def open_spool(settings: ServiceSettings, stack: ExitStack) -> Spool:
    """The spool of the installation.

    Raises:
        SpoolError: its file cannot be opened.
    """
    path = Installation.of(settings).spool
    path.parent.mkdir(parents=True, exist_ok=True)
    spool = Spool(path, settings.spool_max_bytes)
    stack.callback(spool.close)
    return spool


def _options(settings: ServiceSettings) -> RecommendingOptions:
    return RecommendingOptions(
        bundles=settings.bundles_directory,
        bundle=settings.bundle.absolute().name,
        cursor_secret=Installation.of(settings).signing_secret(settings),
        runtime=settings.runtime,
        triton_url=settings.triton_url,
        deadline_seconds=settings.deadline_seconds,
        store_timeout_seconds=settings.store_timeout_seconds,
        runtime_timeout_seconds=settings.runtime_timeout_seconds,
        cache_ttl_seconds=settings.recommendation_ttl_seconds,
        history_limit=settings.history_limit,
        seen_limit=settings.seen_limit,
        interaction_types=settings.interaction_types,
        merge_bundle_histories=settings.bundle_histories,
        max_k=settings.max_k,
        breaker_threshold=settings.breaker_threshold,
        breaker_seconds=settings.breaker_seconds,
        # What is in this process is written faster than it is handed over.
        cache_queue_size=_CACHE_QUEUE_SIZE if _redis_url(settings) not in (None, MEMORY) else 0,
        # The workers share the processors: what waits for a place becomes one batch, which takes less time.
        num_batches=max(1, (os.cpu_count() or 1) // settings.workers),
        exposure_queue_size=settings.exposure_queue_size,
        exposure_flush_seconds=settings.exposure_flush_seconds,
        item_counts=ItemCountOptions(
            types=settings.exploration_types,
            outcome_seconds=settings.exploration_outcome_seconds,
            days=settings.exploration_days,
            interval_seconds=settings.exploration_seconds,
        ),
    )


def _open_cache(settings: ServiceSettings) -> RecommendationCache:
    url = _redis_url(settings)
    if url is None or url == MEMORY:
        return MemoryCache(settings.cache_max_entries, settings.cache_max_bytes)
    return RedisCache(url, timeout_seconds=settings.redis_timeout_seconds)


def _redis_url(settings: ServiceSettings) -> str | None:
    return None if settings.redis_url is None else settings.redis_url.get_secret_value()


def _checks(
    settings: ServiceSettings, store: Store, spool: Spool, recommendations: RecommendationService
) -> dict[str, HealthCheck]:
    def ask_redis() -> None:
        url = _redis_url(settings)
        if url is not None and url != MEMORY:
            timeout = settings.redis_timeout_seconds
            with redis.Redis.from_url(url, socket_timeout=timeout, socket_connect_timeout=timeout) as client:
                client.ping()

    return {
        "store": HealthCheck(
            store.ping,
            required=False,
            effect="lists come from what is known here and from the bundle; changes wait in the spool",
        ),
        "redis": HealthCheck(ask_redis, required=False, effect="each list is computed; each worker counts for itself"),
        "spool": HealthCheck(lambda: len(spool), required=False, effect="changes are lost while the store is away"),
        "bundle": HealthCheck(lambda: _live(recommendations), required=True, effect="there are no lists"),
    }


def _require_up(registry: HealthRegistry) -> None:
    health = registry.of(RUNTIME)
    if health.state in ("failing", "down"):
        # The name of the error is what is said of it.
        is_there = (health.last_error or "").startswith(VersionNotServed.__name__)
        raise (VersionNotServed if is_there else ConnectionError)(f"Triton is {health.state}")


def _live(recommendations: RecommendationService) -> None:
    if not recommendations.bundles():
        raise LookupError("no bundle is open")
