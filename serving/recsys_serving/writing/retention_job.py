"""Deletes what is kept no longer, in a thread of each worker; one of them at a time does the work."""

from __future__ import annotations

import structlog

from recsys.errors import RecsysError
from recsys_serving.resilience.repeating_thread import RepeatingThread
from recsys_serving.settings import ServiceSettings
from recsys_serving.store.schema.retention import RetentionPolicy
from recsys_serving.store.store import Store

#: Seconds before the first look, which is not the time for it, and between two looks.
FIRST_SECONDS, INTERVAL_SECONDS = 60.0, 3_600.0

_log = structlog.get_logger("recsys_serving.retention")


def retention_policy(settings: ServiceSettings) -> RetentionPolicy:
    """How long rows are kept."""
    return RetentionPolicy(
        interaction_days=settings.interaction_retention_days,
        type_days=settings.interaction_type_retention_days,
        exposure_days=settings.exposure_retention_days,
        audit_days=settings.audit_retention_days,
    )


class RetentionJob:
    """Deletes again and again.

    Args:
        store: with the rows.
        policy: how long they are kept.
        first_seconds: before the first look.
        interval_seconds: between two looks.
    """

    def __init__(
        self,
        store: Store,
        policy: RetentionPolicy,
        first_seconds: float = FIRST_SECONDS,
        interval_seconds: float = INTERVAL_SECONDS,
    ) -> None:
        self._store = store
        self._policy = policy
        self._thread = RepeatingThread("retention", self.apply_once, first_seconds, interval_seconds)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End after the look that is going on."""
        self._thread.close()

    def apply_once(self) -> None:
        """Delete what is kept no longer; while the store is away, nothing happens."""
        try:
            result = self._store.apply_retention(self._policy)
        except RecsysError as error:
            _log.warning("rows that are kept no longer cannot be deleted", error=type(error).__name__)
            return
        if result.interactions or result.exposures or result.audit or result.partitions:
            _log.info(
                "deleted what is kept no longer",
                interactions=result.interactions,
                exposures=result.exposures,
                audit=result.audit,
                partitions=list(result.partitions),
            )
