"""Rounds a share of a count to a whole number, and draws a share of whole users or items."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from recsys.data.interactions import IntArray
from recsys.data.splitting.parts import TEST, TRAIN, VALID, PartArray

#: How a share is rounded to a whole number.
Rounding = Literal["nearest", "up", "down"]
ROUNDINGS: tuple[Rounding, ...] = ("nearest", "up", "down")

#: In floating point ``0.29 * 100`` is 28.999999999999996 and stands for 29; ``0.07 * 100`` is 7.000000000000001 and
#: stands for 7.
_ROUNDING_SLACK = 1e-12


def share_of(ratio: float, count: npt.ArrayLike, rounding: Rounding = "down") -> IntArray:
    """``ratio * count`` as a whole number, at least one if neither is zero.

    RecBole rounds down (``AbstractDataset.split_by_ratio``), so that 8:1:1 gives the same counts for each user there
    and here. scikit-learn rounds up the size of a test set (``train_test_split``).

    Args:
        ratio: in [0, 1).
        count: non-negative integers of any shape.
        rounding: ``"up"``, ``"down"``, or ``"nearest"`` with halves up.

    Returns:
        The share, int64, in the shape of ``count``.
    """
    exact: npt.NDArray[Any] = ratio * np.asarray(count)
    if rounding == "up":
        return np.ceil(exact * (1 - _ROUNDING_SLACK)).astype(np.int64)
    if rounding == "nearest":
        exact = exact + np.where(exact > 0, 0.5, 0)
    return np.maximum(np.floor(exact * (1 + _ROUNDING_SLACK)), exact > 0).astype(np.int64)


def draw_held_out(
    candidates: IntArray, size: int, test_ratio: float, valid_ratio: float, generator: np.random.Generator
) -> PartArray:
    """Draw whole users or items for test and validation, without replacement.

    Test is served first where there are too few candidates for both.

    Args:
        candidates: indices that may be held out, each in ``[0, size)`` and once, int64.
        size: number of users or items in the vocabulary.
        test_ratio: share of the candidates for test.
        valid_ratio: share of the candidates for validation.
        generator: source of randomness.

    Returns:
        The part of each index, shape [size]; training for those that were not drawn.
    """
    shuffled = generator.permutation(candidates)
    num_test = int(share_of(test_ratio, len(candidates)))
    num_valid = int(share_of(valid_ratio, len(candidates)))
    part = np.full(size, TRAIN, dtype=np.int8)
    part[shuffled[:num_test]] = TEST
    part[shuffled[num_test : num_test + num_valid]] = VALID
    return part
