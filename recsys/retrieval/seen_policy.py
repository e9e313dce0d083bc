"""Whether what a user has consumed may be recommended again, and after how long."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real

import numpy as np

from recsys.errors import SettingsError
from recsys.retrieval.types import BoolArray, IntArray

SECONDS_PER_DAY = 86_400

_AFTER_DAYS = "after_days"
#: The range of a time in seconds.
_INT64 = np.iinfo(np.int64)
#: More days than int64 has seconds for.
_MOST_DAYS = 10**15


@dataclass(frozen=True, slots=True)
class SeenPolicy:
    """What happens to items that a user has seen, bought or read before.

    It is written in one of three forms: ``true`` (they are never recommended again), ``false`` (they may come again at
    once: groceries, music) and ``{after_days: 30}`` (they may come again 30 days after their last interaction).

    Args:
        excludes: whether seen items are left out, for ever or for a time.
        after_days: days after its last interaction from which an item may come again; None: it never does.

    Raises:
        SettingsError: the days are no finite number above 0, or items are to come back that are never left out.

    Example:
        >>> policy = SeenPolicy.parse({"after_days": 1})
        >>> policy.excluded(np.array([0, 100_000]), now=150_000)
        array([False,  True])
    """

    excludes: bool = True
    after_days: float | None = None

    def __post_init__(self) -> None:
        days = self.after_days
        if not isinstance(self.excludes, bool):
            raise _not_a_policy(self.excludes)
        if days is None:
            return
        if isinstance(days, bool) or not isinstance(days, Real) or not 0 < days < math.inf:
            raise SettingsError(
                f"exclude_seen.{_AFTER_DAYS} must be a number of days above 0, but it is {days!r}. Write "
                "exclude_seen=false where seen items may come again at once."
            )
        if not self.excludes:
            raise SettingsError(
                f"Items that are never left out cannot come back {_AFTER_DAYS}={days:g}. Write one of the two."
            )

    @classmethod
    def parse(cls, written: object) -> SeenPolicy:
        """The policy that is written as ``true``, ``false`` or ``{"after_days": 30}``; a policy is taken as it is.

        Raises:
            SettingsError: it is none of these.
        """
        if isinstance(written, SeenPolicy):
            return written
        if isinstance(written, bool | np.bool_):
            return cls(bool(written))
        if isinstance(written, Mapping) and set(written) == {_AFTER_DAYS} and written[_AFTER_DAYS] is not None:
            days = written[_AFTER_DAYS]
            return cls(True, days.item() if isinstance(days, np.generic) else days)
        raise _not_a_policy(written)

    @property
    def needs_times(self) -> bool:
        """Whether it depends on when an item was seen."""
        return self.after_days is not None

    def written(self) -> bool | dict[str, float]:
        """The policy as it is written in settings, requests and manifests."""
        return self.excludes if self.after_days is None else {_AFTER_DAYS: self.after_days}

    def __str__(self) -> str:
        """As on a command line: ``true``, ``false`` or ``{after_days: 30}``."""
        if self.after_days is None:
            return str(self.excludes).lower()
        return f"{{{_AFTER_DAYS}: {self.after_days:g}}}"

    def latest_return(self, now: int) -> int:
        """The latest time at which an item may have been seen to come again at ``now``; both in seconds since 1970.

        Interactions after it leave their item out. The smallest time there is where seen items never come again, and
        the largest where they are never left out.
        """
        if not self.excludes:
            return int(_INT64.max)
        if self.after_days is None:
            return int(_INT64.min)
        return max(int(_INT64.min), math.floor(now - min(self.after_days, _MOST_DAYS) * SECONDS_PER_DAY))

    def excluded(self, timestamps: IntArray | None, now: int) -> BoolArray | bool:
        """Which interactions leave their item out at ``now``; an item is left out if any of its interactions does.

        Args:
            timestamps: of interactions, seconds since 1970, shape [M], int64; None: they have none. One that is not
                known is the smallest that int64 has, and leaves its item out.
            now: seconds since 1970.

        Returns:
            Shape [M]; one truth value for all where it does not depend on the times, or they are not known.
        """
        if not self.needs_times or timestamps is None:
            return self.excludes
        late: BoolArray = (timestamps > self.latest_return(now)) | (timestamps == _INT64.min)
        return late


def _not_a_policy(written: object) -> SettingsError:
    return SettingsError(
        f"exclude_seen must be true, false or {{{_AFTER_DAYS}: DAYS}}, such as {{{_AFTER_DAYS}: 30}}, but it is "
        f"{written!r}."
    )
