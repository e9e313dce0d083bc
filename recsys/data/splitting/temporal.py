"""Temporal split: the newest interactions of all users are held out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np
import numpy.typing as npt

from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.data.splitting.checks import (
    require_interactions,
    require_one_of,
    require_parts,
    require_ratio,
    require_room_for_training,
    require_timestamps,
)
from recsys.data.splitting.parts import TEST, VALID, split_by_part
from recsys.data.splitting.seen_before import rows_seen_before
from recsys.data.splitting.shares import share_of
from recsys.data.times import NANOSECONDS, format_moment, parse_moment
from recsys.errors import SplitError


@dataclass(frozen=True, slots=True)
class Temporal:
    """Cut at one time for all users: interactions from the cut on are test, the ones right before it validation.

    The cut is given as a time (``test_from``), or found so that the newest ``test_ratio`` of the interactions is test.
    Interactions at the time of the cut all belong to test, so test may be larger than its ratio. The same holds for
    validation. Users and items without a training interaction are kept; they are cold.

    Where an interaction stands for earlier ones of its user and item, which preparation left out, and the first of them
    is before the cut, it is held out, but noted in ``seen_before``: it is no test of what is new.

    Args:
        test_ratio: share of all interactions for test, in (0, 1), rounded down but at least one; None with
            ``test_from``.
        valid_ratio: share of all interactions for validation, the newest before the cut, in [0, 1), rounded down but
            at least one.
        test_from: time of the first test interaction, in the clock of the data (mostly seconds since 1970), or as a
            date in ISO 8601 such as ``2024-05-31`` or ``2024-05-31T12:00:00+02:00``, UTC without a time zone; None with
            ``test_ratio``.

    Raises:
        SplitError: an argument is out of range, or both or neither of ``test_ratio`` and ``test_from`` are given.
    """

    test_ratio: float | None = 0.2
    valid_ratio: float = 0.1
    test_from: int | str | None = None

    def __post_init__(self) -> None:
        require_one_of("test_ratio", self.test_ratio, "test_from", self.test_from)
        require_ratio("valid_ratio", self.valid_ratio, zero_allowed=True)
        if self.test_ratio is not None:
            require_ratio("test_ratio", self.test_ratio)
            require_room_for_training(self.test_ratio, self.valid_ratio)
        if self.test_from is not None:
            _moment_of(self.test_from)

    def split(self, interactions: Interactions) -> Split:
        """Divide ``interactions``; every row is in one part.

        Raises:
            SplitError: there are no interactions or timestamps, or a part would be empty.
        """
        require_interactions(interactions)
        require_timestamps(interactions, "Temporal", "split=random_ratio")
        time = interactions.moments
        assert time is not None, "there are timestamps"
        per_second = 1 if interactions.subsecond_ns is None else NANOSECONDS
        test_from = self._cut(time, per_second)
        part = np.zeros(len(time), dtype=np.int8)
        is_test = time >= test_from
        part[is_test] = TEST
        before = time[~is_test]
        valid_from = test_from
        if self.valid_ratio > 0 and len(before) > 0:
            valid_from = _time_of_newest(before, self.valid_ratio, len(time))
            part[~is_test & (time >= valid_from)] = VALID
        first, last, cut = (format_moment(int(at) // per_second) for at in (time.min(), time.max(), test_from))
        split = require_parts(
            split_by_part(part),
            "Temporal",
            wants_valid=self.valid_ratio > 0,
            remedy=f"Test begins at {cut}, the data last from {first} to {last}: "
            "set split.test_ratio or split.test_from, and split.valid_ratio, accordingly",
            no_valid="split.valid_ratio=0",
        )
        return replace(
            split,
            seen_before=np.concatenate(
                [
                    rows_seen_before(interactions, split.valid, valid_from // per_second),
                    rows_seen_before(interactions, split.test, test_from // per_second),
                ]
            ),
        )

    def _cut(self, time: npt.NDArray[np.int64], per_second: int) -> int:
        """The time of the first test interaction, in seconds or in what ``per_second`` of make one."""
        if self.test_from is None:
            assert self.test_ratio is not None, "the constructor lets one of the two through"
            return _time_of_newest(time, self.test_ratio, len(time))
        seconds, nanoseconds = _moment_of(self.test_from)
        return seconds * per_second + (nanoseconds if per_second > 1 else int(nanoseconds > 0))


def _moment_of(test_from: int | str) -> tuple[int, int]:
    """Seconds and nanoseconds of the cut.

    Raises:
        SplitError: it is neither a whole number of at least 0 nor a date.
    """
    if isinstance(test_from, Integral) and not isinstance(test_from, bool):
        test_from = int(test_from)
    moment = parse_moment(test_from)
    if moment is None or moment[0] < 0:
        raise SplitError(
            "test_from must be a whole number of at least 0 (mostly seconds since 1970), or a date such as 2024-05-31 "
            f"or 2024-05-31T12:00:00; got {test_from!r}. Set split.test_from."
        )
    return moment


def _time_of_newest(time: npt.NDArray[np.int64], ratio: float, num_all: int) -> int:
    """The time of the oldest of the newest ``ratio * num_all`` interactions; of the oldest of all if there are fewer.

    Partitioning finds it in linear time.
    """
    position = max(len(time) - int(share_of(ratio, num_all)), 0)
    return int(np.partition(time, position)[position])
