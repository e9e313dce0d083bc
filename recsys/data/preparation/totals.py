"""Counts and ranges of the interactions that preparation writes, added up as they are written."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from recsys.data.columns import FOLDS
from recsys.data.interactions import Interactions
from recsys.data.schema import RatingScale, TimeRange

#: Numbers that are added at once: few, for their memory. The sum of 2**28 mantissas would still fit into the
#: 53 bits that a float64 holds exactly.
_AT_ONCE = 1 << 16


class ExactMean:
    """Smallest, largest and mean of 32-bit floats that come in parts.

    The sum is exact, so that the mean is the same whatever the parts are: mantissas are whole numbers, and those of one
    exponent are added as such.
    """

    def __init__(self) -> None:
        self._sum = Fraction(0)
        self._count = 0
        self._min, self._max = math.inf, -math.inf

    def add(self, values: npt.NDArray[np.float32]) -> None:
        """Take in finite numbers."""
        if len(values) == 0:
            return
        self._count += len(values)
        self._min, self._max = min(self._min, float(values.min())), max(self._max, float(values.max()))
        for start in range(0, len(values), _AT_ONCE):
            mantissa, exponent = np.frexp(values[start : start + _AT_ONCE].astype(np.float64))
            lowest = int(exponent.min())
            sums = np.bincount(exponent - lowest, np.ldexp(mantissa, 24))
            for place, total in enumerate(sums.tolist()):
                self._sum += Fraction(int(total)) * Fraction(2) ** (lowest + place - 24)

    def scale(self) -> RatingScale:
        """What was found."""
        # Of zeros above and below zero either may be found; both are written as zero.
        return RatingScale(self._min + 0.0, self._max + 0.0, float(self._sum / self._count))


class InteractionTotals:
    """Counts and ranges of interactions that come in parts.

    Args:
        positive_threshold: lowest rating of a positive interaction; None where all are positive.
    """

    def __init__(self, positive_threshold: float | None) -> None:
        self._threshold = positive_threshold
        self.num_interactions = 0
        self.num_positives = 0
        self._scales: dict[str, ExactMean] = {}
        self._times: list[int] = []
        self._folds: npt.NDArray[np.int64] | None = None

    def add(self, interactions: Interactions) -> None:
        """Take in the next part."""
        self.num_interactions += len(interactions)
        self.num_positives += interactions.num_rated_at_least(self._threshold)
        if len(interactions) == 0:
            return
        for name in ("rating", "weight"):
            if (values := getattr(interactions, name)) is not None:
                self._scales.setdefault(name, ExactMean()).add(values)
        if (time := interactions.timestamp) is not None:
            ends = [*self._times, int(time.min()), int(time.max())]
            self._times = [min(ends), max(ends)]
        if interactions.fold is not None:
            counts = np.bincount(interactions.fold, minlength=len(FOLDS))
            self._folds = counts if self._folds is None else self._folds + counts

    def scale(self, name: str) -> RatingScale | None:
        """The scale of ``rating`` or ``weight``; None where there are none."""
        found = self._scales.get(name)
        return None if found is None else found.scale()

    @property
    def time(self) -> TimeRange | None:
        """The first and the last time; None where there are none."""
        return TimeRange(*self._times) if self._times else None

    @property
    def folds(self) -> dict[str, int] | None:
        """Interactions of each fold; None where the data come unsplit."""
        return None if self._folds is None else dict(zip(FOLDS, self._folds.tolist(), strict=True))
