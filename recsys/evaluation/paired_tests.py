"""Is one model better than another, for the same users? Paired tests and the size of the difference.

The users' values under two models are subtracted, and the tests ask how likely a mean difference at least as far from
zero is if it is only chance which of the two models had the higher value for a user. All tests are two-sided.

Shape suffixes: U users, R resamples.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.stats

from recsys.errors import EvaluationError
from recsys.evaluation.means import FloatArray
from recsys.evaluation.significance import Interval, bootstrap_intervals

#: Takes differences, shape [U] without NaN and U at least 2, to a p-value.
PairedTest = Callable[[FloatArray], float]

#: Signs held at once: 2**22 float64 are 32 MiB.
_MAX_SIGNS = 2**22

#: Differences are compared after rounding to so many decimals: .3 - .2 and .2 - .1 are one value.
_DECIMALS = 12


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The values of one model less those of another.

    Args:
        num_users: users for whom both have a value.
        mean: mean difference.
        interval: its paired bootstrap interval: users are drawn, and both values of a user stay together.
        num_better: users whose value is higher under the first model.
        num_worse: users whose value is lower under the first model.
        p_value: of the paired test, two-sided.
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
    """How much better ``first`` is than ``second``, and whether that may be chance.

    Args:
        first: values of one model, shape [U]; NaN where a measure is not defined for a user.
        second: values of the other model for the same users, shape [U].
        test: one of :data:`PAIRED_TESTS`.
        num_samples: resamples of the bootstrap.
        seed: of the bootstrap.
        confidence: of the interval.

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

    Assumes that the *mean* is normal, which holds for hundreds of users whatever the shape of the differences. Where
    all differences are zero the p-value is 1, and 0 where they are all one other number.
    Source: Student, The Probable Error of a Mean, 1908.
    """
    if not differences.any():
        return 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a deviation of zero is divided by, with the right limit
        return float(scipy.stats.ttest_1samp(differences, 0.0).pvalue)


def wilcoxon_test(differences: FloatArray) -> float:
    """Wilcoxon's signed-rank test, which asks for a shift of the median and not of the mean.

    Differences of zero take part in the ranking and are then left out (Pratt), as they are many: most users have the
    same hits under both models. Where all are zero the p-value is 1.
    Source: Wilcoxon, Individual Comparisons by Ranking Methods, 1945; Pratt, Remarks on Zeros and Ties, 1959.
    """
    if not differences.any():
        return 1.0
    return min(1.0, float(scipy.stats.wilcoxon(differences, zero_method="pratt").pvalue))


def permutation_test(differences: FloatArray, num_samples: int = 10_000, seed: int = 0) -> float:
    """Sign-flip randomisation test of the mean: by chance alone each difference may as well have the other sign.

    The p-value is ``(1 + c) / (1 + R)``, where ``c`` of R random flips have a mean at least as far from zero, so it is
    never below ``1 / (1 + R)``. Where there are no more than R ways to flip, all are tried and the p-value is exact.
    Nothing is assumed of the shape of the differences.
    Source: Fisher, The Design of Experiments, 1935; Smucker, Allan and Carterette, A Comparison of Statistical
    Significance Tests for Information Retrieval Evaluation, CIKM 2007.

    Args:
        differences: shape [U].
        num_samples: random flips, R, at least 1.
        seed: of the flips.

    Raises:
        EvaluationError: ``num_samples`` is below 1.
    """
    if num_samples < 1:
        raise EvaluationError(f"a permutation test needs at least 1 sample; num_samples is {num_samples}: give more")
    values = differences[differences != 0]  # the sign of zero changes nothing
    # The flipped sum is total - 2 * (sum of those that were flipped): it is at least as far from zero as the total
    # where the flipped part is outside (0, total). A little slack for rounding counts what is equal.
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


#: By the name that a user gives.
PAIRED_TESTS: dict[str, PairedTest] = {"permutation": permutation_test, "t": t_test, "wilcoxon": wilcoxon_test}
