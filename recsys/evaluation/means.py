"""Means over the users for whom a measure is defined."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def mean_over_users(values: FloatArray) -> FloatArray:
    """The mean of each column without its NaN values.

    Args:
        values: shape [U, M]; NaN where a measure is undefined for a user.

    Returns:
        Shape [M]; NaN for a measure that is undefined for every user.
    """
    defined = ~np.isnan(values)
    count = defined.sum(axis=0)
    total = np.where(defined, values, 0.0).sum(axis=0)
    return np.divide(total, count, out=np.full(values.shape[1], np.nan), where=count > 0)
