"""Temporal split: the newest interactions of all users are held out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.data.splitting.checks import (
    require_integer,
    require_interactions,
    require_one_of,
    require_parts,
    require_ratio,
    require_room_for_training,
    require_timestamps,
)
from recsys.data.splitting.parts import TEST, VALID, split_by_part
from recsys.data.splitting.shares import share_of


@dataclass(frozen=True, slots=True)
class Temporal:
    """Cut at one time for all users: interactions from the cut on are test, the ones right before it validation.

    The cut is given as a time (``test_from``), or found so that the newest ``test_ratio`` of the interactions is test.
    Interactions at the time of the cut all belong to test, so test may be larger than its ratio. The same holds for
    validation. Users and items without a training interaction are kept; they are cold.

    Args:
        test_ratio: share of all interactions for test, in (0, 1), rounded down but at least one; None with
            ``test_from``.
        valid_ratio: share of all interactions for validation, the newest before the cut, in [0, 1), rounded down but
            at least one.
        test_from: time of the first test interaction, in the clock of the data (mostly seconds since 1970); None
            with ``test_ratio``.

    Raises:
        SplitError: an argument is out of range, or both or neither of ``test_ratio`` and ``test_from`` are given.
    """

    test_ratio: float | None = 0.2
    valid_ratio: float = 0.1
    test_from: int | None = None

    def __post_init__(self) -> None:
        require_one_of("test_ratio", self.test_ratio, "test_from", self.test_from)
        require_ratio("valid_ratio", self.valid_ratio, zero_allowed=True)
        if self.test_ratio is not None:
            require_ratio("test_ratio", self.test_ratio)
            require_room_for_training(self.test_ratio, self.valid_ratio)
        if self.test_from is not None:
            require_integer("test_from", self.test_from, 0)

    def split(self, interactions: Interactions) -> Split:
        """Divide ``interactions``; every row is in one part.

        Raises:
            SplitError: there are no interactions or timestamps, or a part would be empty.
        """
        require_interactions(interactions)
        time = require_timestamps(interactions, "Temporal", "split=random_ratio")
        test_from = self._cut(time)
        part = np.zeros(len(time), dtype=np.int8)
        is_test = time >= test_from
        part[is_test] = TEST
        before = time[~is_test]
        if self.valid_ratio > 0 and len(before) > 0:
            part[~is_test & (time >= _time_of_newest(before, self.valid_ratio, len(time)))] = VALID
        return require_parts(
            split_by_part(part),
            "Temporal",
            wants_valid=self.valid_ratio > 0,
            remedy=f"Test begins at {test_from}, the data last from {time.min()} to {time.max()}: "
            "set split.test_ratio or split.test_from, and split.valid_ratio, accordingly",
            no_valid="split.valid_ratio=0",
        )

    def _cut(self, time: npt.NDArray[np.int64]) -> int:
        if self.test_from is not None:
            return self.test_from
        assert self.test_ratio is not None, "the constructor lets one of the two through"
        return _time_of_newest(time, self.test_ratio, len(time))


def _time_of_newest(time: npt.NDArray[np.int64], ratio: float, num_all: int) -> int:
    """The time of the oldest of the newest ``ratio * num_all`` interactions; of the oldest of all if there are fewer.

    Partitioning finds it in linear time.
    """
    position = max(len(time) - int(share_of(ratio, num_all)), 0)
    return int(np.partition(time, position)[position])
