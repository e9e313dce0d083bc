"""Interactions with skewed activity and popularity, the same in every run."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from on_gpu.sizes import Sizes
from recsys.data.interactions import Interactions


@lru_cache(maxsize=1)
def interactions_of(sizes: Sizes) -> Interactions:
    """Users by a log-normal law and items by a power law, with seed 0; in random order."""
    random = np.random.default_rng(0)
    activity = random.lognormal(0, 1, sizes.users).cumsum()
    popularity = (np.arange(1, sizes.items + 1) ** -0.8).cumsum()

    def draw(cumulative: np.ndarray) -> np.ndarray:
        places = np.searchsorted(cumulative / cumulative[-1], random.random(sizes.interactions))
        return places.clip(max=len(cumulative) - 1).astype(np.int32)

    return Interactions(draw(activity), draw(popularity), None, None, None, sizes.users, sizes.items)
