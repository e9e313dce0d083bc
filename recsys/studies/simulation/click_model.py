"""What simulated users do with a list: look at places, click what they like, rate some of it.

Shape suffixes: K items of a list.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.errors import SettingsError
from recsys.studies.simulation.taste import FloatArray


@dataclass(frozen=True, slots=True)
class Choice:
    """A click, and perhaps a rating.

    Args:
        position: of the item in the list, from 1.
        rating: from 1 to 5; None: the user gave none.
    """

    position: int
    rating: int | None


@dataclass(frozen=True, slots=True)
class ClickModel:
    """A click needs that the place was looked at and that the item is liked: the position-based model.

    Args:
        position_bias: the place ``r`` is looked at with the probability ``r ** -position_bias``; 0: all places are.
        rating_share: share of clicks that a rating follows.
        rating_noise: standard deviation of a rating, in stars.

    Raises:
        SettingsError: a value is out of range.
    """

    position_bias: float = 0.5
    rating_share: float = 0.3
    rating_noise: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.rating_share <= 1:
            raise SettingsError(f"rating_share must be from 0 to 1, but is {self.rating_share}.")
        if self.position_bias < 0 or self.rating_noise < 0:
            raise SettingsError("position_bias and rating_noise must be 0 or more. Correct the one that is less.")

    def examination(self, k: int) -> FloatArray:
        """Probability that each place is looked at, shape [K]."""
        return np.asarray(np.arange(1, k + 1, dtype=np.float64) ** -self.position_bias)

    def choose(self, affinities_K: FloatArray, generator: np.random.Generator) -> list[Choice]:
        """What a user does with a list, from its top.

        Args:
            affinities_K: how probably each item is liked, shape [K].
            generator: of chance; each list draws as many numbers, whatever is clicked.
        """
        k = len(affinities_K)
        clicked_K = generator.random(k) < self.examination(k) * affinities_K
        rated_K = generator.random(k) < self.rating_share
        stars_K = np.rint(1 + 4 * np.sqrt(affinities_K) + self.rating_noise * generator.standard_normal(k))
        return [
            Choice(int(place) + 1, int(np.clip(stars_K[place], 1, 5)) if rated_K[place] else None)
            for place in np.flatnonzero(clicked_K)
        ]
