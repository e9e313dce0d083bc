"""How the service answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from recsys.errors import SettingsError

#: Fewest bytes of the secret that signs cursors.
SECRET_BYTES = 16


@dataclass(frozen=True, slots=True)
class ItemCountOptions:
    """What is counted of items in slots that explore.

    Args:
        types: of interactions that are a success.
        outcome_seconds: so long after a list a success counts, and so long a list waits to be counted.
        days: lists that are older do not count.
        interval_seconds: between two readings.
    """

    types: tuple[str, ...] = ("click",)
    outcome_seconds: float = 3_600.0
    days: float = 30.0
    interval_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendingOptions:
    """How the service answers.

    Args:
        bundles: the directory with the bundles, each by the name of its directory.
        bundle: name of the one that is live where the store does not say.
        cursor_secret: signs cursors; the same in every worker and after every restart.
        runtime: ``inprocess``, or ``triton``: a server answers for ``bundle``, and the bundle in this process when the
            server is away; other bundles answer in this process.
        triton_url: of Triton's gRPC port; None in process.
        deadline_seconds: that one answer may wait for what it depends on, all in all.
        store_timeout_seconds: that it may wait for the store.
        runtime_timeout_seconds: that it may wait for Triton.
        sync_timeout_seconds: that it may wait until changes of items, or another bundle, are in this worker.
        cache_ttl_seconds: that an answer is kept; 0 keeps none.
        history_limit: latest interactions of a user that a model gets.
        seen_limit: items that count as seen of a user, the latest ones, however many interactions a model gets.
        interaction_types: that make a history; None: all.
        merge_bundle_histories: whether the stored history goes on from that of the bundle; False where the store has
            all interactions, so that what is deleted or erased there is gone at once.
        max_k: longest list or page.
        known_users: users whose state a worker remembers, for the time that the store is away and so that a history
            that has not changed is not read again.
        breaker_threshold: failures in a row after which a dependency is left alone.
        breaker_seconds: that it is left alone then.
        cache_queue_size: lists that wait until a thread caches them, at most; 0: each answer writes its own.
        exposure_queue_size: lists that wait to be noted, at most.
        exposure_flush_seconds: that a list waits to be noted, at most.
        item_counts: what Thompson's draws go by.
        num_batches: batches of lists that a model makes at once in this process; None: as there are processors.

    Raises:
        SettingsError: a value is out of range, or the budgets of the stages exceed that of the answer.
    """

    bundles: Path
    bundle: str
    cursor_secret: bytes
    runtime: Literal["inprocess", "triton"] = "inprocess"
    triton_url: str | None = None
    deadline_seconds: float = 0.8
    store_timeout_seconds: float = 0.2
    runtime_timeout_seconds: float = 0.25
    sync_timeout_seconds: float = 0.25
    cache_ttl_seconds: float = 60.0
    history_limit: int = 1000
    seen_limit: int = 50_000
    interaction_types: tuple[str, ...] | None = None
    merge_bundle_histories: bool = True
    max_k: int = 1000
    known_users: int = 10_000
    breaker_threshold: int = 3
    breaker_seconds: float = 2.0
    cache_queue_size: int = 0
    exposure_queue_size: int = 10_000
    exposure_flush_seconds: float = 0.5
    item_counts: ItemCountOptions = field(default_factory=ItemCountOptions)
    num_batches: int | None = None

    def __post_init__(self) -> None:
        if len(self.cursor_secret) < SECRET_BYTES:
            raise SettingsError(f"cursor_secret must have {SECRET_BYTES} bytes or more; it has less.")
        if self.runtime == "triton" and self.triton_url is None:
            raise SettingsError("runtime=triton requires triton_url, such as localhost:8001.")
        stages = self.store_timeout_seconds + self.runtime_timeout_seconds + self.sync_timeout_seconds
        if stages > self.deadline_seconds:
            raise SettingsError(
                f"The waits of the stages must fit into deadline_seconds={self.deadline_seconds:g}, but they are "
                f"{stages:g} s together. Shorten them, or allow more."
            )
