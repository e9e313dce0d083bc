"""Where answers are kept for a while: what any cache can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from recsys.errors import ServingError


class CacheUnavailable(ServingError):
    """A cache cannot be reached, or did not answer in time."""


@runtime_checkable
class RecommendationCache(Protocol):
    """Keeps bytes under texts for a limited time; threads may share it.

    A cache may forget anything at any time. Every value has a time to live, and the cache as a whole a bound.
    """

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The value of each key; None where there is none.

        Raises:
            CacheUnavailable: it did not answer.
        """
        ...

    def set_many(self, values: Mapping[str, bytes], ttl_seconds: float) -> None:
        """Keep values for ``ttl_seconds`` (above 0) at most.

        Raises:
            CacheUnavailable: it did not answer.
        """
        ...

    def ping(self) -> None:
        """Check that it answers.

        Raises:
            CacheUnavailable: it does not.
        """
        ...

    def close(self) -> None:
        """Let connections and memory go."""
        ...
