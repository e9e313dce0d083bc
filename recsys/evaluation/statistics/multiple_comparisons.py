"""Corrections of p-values for multiple comparisons.

Shape suffixes: M hypotheses.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from recsys.errors import EvaluationError
from recsys.evaluation.means import FloatArray

#: Corrects p-values, shape [M], and keeps their order.
Correction = Callable[[FloatArray], FloatArray]


def holm(p_values: FloatArray) -> FloatArray:
    """Holm's step-down correction: the chance of even one false discovery stays below the level.

    With the p-values in ascending order, ``p'_i = max_{j <= i} min(1, (M - j + 1) p_j)``. The tests may
    depend on each other in any way.
    Source: Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979.

    Args:
        p_values: shape [M]; may be empty.

    Returns:
        Shape [M], in the order of ``p_values``; each at least as large as it was.

    Raises:
        EvaluationError: a p-value is not between 0 and 1.
    """
    _check(p_values)
    order = np.argsort(p_values, kind="stable")
    factors = len(p_values) - np.arange(len(p_values))
    corrected = np.empty(len(p_values))
    corrected[order] = np.maximum.accumulate(np.minimum(1.0, factors * p_values[order]))
    return corrected


def benjamini_hochberg(p_values: FloatArray) -> FloatArray:
    """Benjamini and Hochberg's step-up correction: the expected share of false discoveries stays below the level.

    With the p-values in ascending order, ``p'_i = min_{j >= i} min(1, M p_j / j)``. It rejects more than
    :func:`holm` with a weaker guarantee. It holds for tests that are independent or positively dependent, such as tests
    against one baseline.
    Source: Benjamini and Hochberg, Controlling the False Discovery Rate, 1995.

    Args:
        p_values: shape [M]; may be empty.

    Returns:
        Shape [M], in the order of ``p_values``; each at least as large as it was.

    Raises:
        EvaluationError: a p-value is not between 0 and 1.
    """
    _check(p_values)
    if len(p_values) == 0:
        return p_values.copy()
    import scipy.stats  # takes a second

    return np.asarray(scipy.stats.false_discovery_control(p_values, method="bh"), dtype=np.float64)


def uncorrected(p_values: FloatArray) -> FloatArray:
    """No correction: right for a single comparison that was planned in advance."""
    _check(p_values)
    return p_values.copy()


def _check(p_values: FloatArray) -> None:
    if not ((p_values >= 0) & (p_values <= 1)).all():
        raise EvaluationError(f"p-values must be between 0 and 1; they are {p_values.tolist()}: pass those of a test")


#: Corrections by their name in settings.
CORRECTIONS: dict[str, Correction] = {"holm": holm, "benjamini_hochberg": benjamini_hochberg, "none": uncorrected}
