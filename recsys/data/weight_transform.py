"""How much a pair of a user and an item counts in training, from the weights of its interactions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from recsys.data.interactions import Interactions

WeightTransform = Literal["none", "log1p", "binary"]

_FUNCTIONS: Mapping[str, Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]] = MappingProxyType(
    {"log1p": np.log1p}
)


def transform_weights(interactions: Interactions, transform: WeightTransform) -> Interactions:
    """Interactions whose weights add up to the transformed sum of each pair.

    What is transformed is the sum of a pair, so that a pair counts the same whether it is one interaction or several:
    the weights of its interactions keep their proportions.

    Args:
        interactions: N interactions, with weights or without.
        transform: ``none`` leaves the weights as they are, ``log1p`` takes ``log(1 + sum)``, ``binary`` leaves the
            weights out.
    """
    if interactions.weight is None or transform == "none":
        return interactions
    if transform == "binary":
        return replace(interactions, weight=None)
    _, pair = np.unique(interactions.pairs, return_inverse=True)
    sums = np.bincount(pair, interactions.weight).astype(np.float64)
    weight = interactions.weight * (_FUNCTIONS[transform](sums) / sums)[pair]
    return replace(interactions, weight=weight.astype(np.float32))
