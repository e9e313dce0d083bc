"""Paired significance tests of two models on the same users, and the size of the difference.

The values of two models are subtracted user by user. The p-value is the probability of a mean difference at least as
far from zero if the models were equal. All tests are two-sided.

Shape suffixes: U users, R resamples.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recsys.errors import EvaluationError
from recsys.evaluation.means import FloatArray
from recsys.evaluation.statistics.significance import Interval, bootstrap_intervals

#: Returns the p-value of differences, shape [U] without NaN, with U at least 2.
PairedTest = Callable[[FloatArray], float]

#: Signs held at once: 2**22 float64 are 32 MiB.
_MAX_SIGNS = 2**22

#: Differences are rounded to this many decimals, so that .3 - .2 and .2 - .1 are equal.
_DECIMALS = 12


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The difference between the values of two models.

    Args:
        num_users: users for whom both have a value.
        mean: mean difference.
        interval: its paired bootstrap interval: users are resampled, each with both values.
        num_better: users whose value is higher under the first model.
        num_worse: users whose value is lower under the first model.
        p_value: two-sided p-value of the paired test.
    """

    num_users: int
    mean: float
    interval: Interval
    num_better: int
    num_worse: int
    p_value: float


def paired_difference(
    first: FloatArray,
    second: FloatArray,
    test: PairedTest,
    num_samples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> PairedDifference:
    """The difference ``first - second`` with its interval and significance.

    Args:
        first: values of one model, shape [U]; NaN where a measure is undefined for a user.
        second: values of the other model for the same users, shape [U].
        test: one of :data:`PAIRED_TESTS`.
        num_samples: resamples of the bootstrap.
        seed: seed of the bootstrap.
        confidence: confidence level of the interval.

    Raises:
        EvaluationError: the shapes differ, or fewer than two users have both values.
    """
    if first.shape != second.shape or first.ndim != 1:
        raise EvaluationError(
            "a paired comparison needs one value of each model for each user, two arrays of shape [users]; they have "
            f"{list(first.shape)} and {list(second.shape)}: evaluate both models on the same users"
        )
    differences = np.round(first - second, _DECIMALS)
    differences = differences[~np.isnan(differences)]
    if len(differences) < 2:
        raise EvaluationError(
            "a paired comparison needs at least two users for whom both models have a value; there are "
            f"{len(differences)}: choose a measure that is defined for more users"
        )
    (interval,) = bootstrap_intervals(differences[:, None], num_samples, seed, confidence)
    return PairedDifference(
        num_users=len(differences),
        mean=float(differences.mean()),
        interval=interval,
        num_better=int((differences > 0).sum()),
        num_worse=int((differences < 0).sum()),
        p_value=test(differences),
    )


def t_test(differences: FloatArray) -> float:
    """Paired t-test: ``t = mean / (std / sqrt(U))`` with ``U - 1`` degrees of freedom.

    Assumes that the *mean* is normal, which holds for hundreds of users whatever the shape of the differences. If
    all differences are zero the p-value is 1; if they all equal another number it is 0.
    Source: Student, The Probable Error of a Mean, 1908.
    """
    if not differences.any():
        return 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # dividing by a deviation of zero gives the right limit
        import scipy.stats  # takes a second

        return float(scipy.stats.ttest_1samp(differences, 0.0).pvalue)


def wilcoxon_test(differences: FloatArray) -> float:
    """Wilcoxon's signed-rank test, which tests for a shift of the median, not of the mean.

    Differences of zero are ranked and then left out (Pratt), since they are frequent: most users have the same hits
    under both models. If all are zero the p-value is 1.
    Source: Wilcoxon, Individual Comparisons by Ranking Methods, 1945; Pratt, Remarks on Zeros and Ties, 1959.
    """
    if not differences.any():
        return 1.0
    import scipy.stats

    return min(1.0, float(scipy.stats.wilcoxon(differences, zero_method="pratt").pvalue))


def permutation_test(differences: FloatArray, num_samples: int = 10_000, seed: int = 0) -> float:
    """Sign-flip randomisation test of the mean: under the null hypothesis each difference may have either sign.

    The p-value is ``(1 + c) / (1 + R)``, where ``c`` of R random flips have a mean at least as far from zero, so it is
    never below ``1 / (1 + R)``. If there are no more than R ways to flip, all are enumerated and the p-value is exact.
    The differences may have any distribution.
    Source: Fisher, The Design of Experiments, 1935; Smucker, Allan and Carterette, A Comparison of Statistical
    Significance Tests for Information Retrieval Evaluation, CIKM 2007.

    Args:
        differences: shape [U].
        num_samples: number of random flips, R, at least 1.
        seed: seed of the flips.

    Raises:
        EvaluationError: ``num_samples`` is below 1.
    """
    if num_samples < 1:
        raise EvaluationError(f"a permutation test needs at least 1 sample; num_samples is {num_samples}: give more")
    values = differences[differences != 0]  # the sign of zero changes nothing
    # The flipped sum is total - 2 * (sum of the flipped values): it is at least as far from zero as the total if the
    # flipped part is outside (0, total). A little slack counts sums that differ by rounding only as equal.
    total = math.fsum(values)
    extreme = abs(total) - 1e-9 * float(np.abs(values).sum())
    num_ways = 2 ** len(values) if len(values) < 63 else math.inf
    exact = num_ways <= num_samples
    num_rows = int(num_ways) if exact else num_samples
    generator = np.random.Generator(np.random.SFC64(seed))
    count = 0
    chunk = max(1, _MAX_SIGNS // max(1, len(values)))
    for start in range(0, num_rows, chunk):
        rows = min(chunk, num_rows - start)
        if exact:
            flipped = (np.arange(start, start + rows)[:, None] >> np.arange(len(values)) & 1).astype(np.float64)
        else:
            packed = np.frombuffer(generator.bytes(rows * -(-len(values) // 8)), dtype=np.uint8).reshape(rows, -1)
            flipped = np.unpackbits(packed, axis=1, count=len(values)).astype(np.float64)
        sums = total - 2.0 * (flipped @ values)
        count += int((np.abs(sums) >= extreme).sum())
    return count / num_rows if exact else (count + 1) / (num_rows + 1)


#: Tests by their name in settings.
PAIRED_TESTS: dict[str, PairedTest] = {"permutation": permutation_test, "t": t_test, "wilcoxon": wilcoxon_test}
