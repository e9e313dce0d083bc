r"""Sample-ratio mismatch: do the variants have as many units as their shares say?

Where they do not, units are lost in one variant (a crash, a redirect, a bot filter), and no comparison of the variants
means anything. The check is valid at every look: with counts ``x`` of n units and shares ``p``,

.. math:: M_c = \frac{\Gamma(c)}{\Gamma(c + n)} \prod_v \frac{\Gamma(c p_v + x_v)}{\Gamma(c p_v)\, p_v^{x_v}}

is the Bayes factor of Dirichlet-distributed shares with concentration c around ``p`` against ``p`` itself. If the
shares are right it is a martingale with mean 1, and so is the mean of several concentrations, which finds large
mismatches soon and small ones at last. It reaches ``1 / alpha`` with probability alpha at most, however often one
looks.

Source: Lindon and Malek, Anytime-Valid Inference for Multinomial Count Data, NeurIPS 2022.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.special

from recsys.errors import ExperimentError
from recsys.experiments.metric import require_number
from recsys.retrieval.types import FloatArray

#: Of the Dirichlet distributions: the larger, the closer to the shares.
CONCENTRATIONS = (10.0, 100.0, 1_000.0, 10_000.0, 100_000.0)


@dataclass(frozen=True, slots=True)
class SampleRatioResult:
    """What the counts of units say about the shares.

    Args:
        counts: units of each variant.
        shares: of each variant, as they should be.
        log_evidence: the largest logarithm of the Bayes factor at any look so far.
        p_value: valid at every look: it never grows.
        mismatch: whether it is at or below the level.
        sentence: what a person reads.
    """

    counts: Mapping[str, int]
    shares: Mapping[str, float]
    log_evidence: float
    p_value: float
    mismatch: bool
    sentence: str


def check_sample_ratio(
    counts: Mapping[str, int],
    shares: Mapping[str, float],
    alpha: float = 0.001,
    previous: SampleRatioResult | None = None,
) -> SampleRatioResult:
    """Compare the number of units of each variant with its share.

    Args:
        counts: units by variant; 0 for those that are left out.
        shares: of all variants, adding up to 1.
        alpha: probability to find a mismatch, at any look ever, where there is none.
        previous: the result of the look before, which is not forgotten; None: there was none.

    Raises:
        ExperimentError: the variants are different, a count is negative, or shares are not above 0 and add up to 1.
    """
    require_number("alpha", alpha, 1e-12, 0.5)
    unknown = sorted(set(counts) - set(shares))
    if unknown:
        raise ExperimentError(
            f"units came of {', '.join(unknown)}, which are not among the variants {', '.join(shares)}"
        )
    # A variant whose share is 0 has no units: others would be an infinite surprise, and come of a share that changed.
    shares = {name: share for name, share in shares.items() if share > 0 or counts.get(name, 0) > 0}
    numbers = {name: int(counts.get(name, 0)) for name in shares}
    log_evidence = float(log_multinomial_evidence(list(numbers.values()), list(shares.values())))
    if previous is not None:
        log_evidence = max(log_evidence, previous.log_evidence)
    p_value = math.exp(-max(log_evidence, 0.0))
    mismatch = p_value <= alpha
    return SampleRatioResult(
        numbers, dict(shares), log_evidence, p_value, mismatch, _sentence(numbers, shares, p_value, mismatch)
    )


def log_multinomial_evidence(
    counts: Sequence[float] | FloatArray,
    shares: Sequence[float] | FloatArray,
    concentrations: Sequence[float] = CONCENTRATIONS,
) -> FloatArray:
    """Logarithm of the Bayes factor against ``shares``, the mean over the concentrations.

    Args:
        counts: shape [..., variants].
        shares: shape [variants], above 0 and adding up to 1.
        concentrations: of the Dirichlet distributions.

    Returns:
        Shape [...].

    Raises:
        ExperimentError: a count is negative, or shares are not above 0 and add up to 1.
    """
    x, p = np.asarray(counts, np.float64), np.asarray(shares, np.float64)
    if not (x >= 0).all():
        raise ExperimentError(f"numbers of units must not be negative; {x.tolist()} came")
    if not (p > 0).all() or abs(p.sum() - 1) > 1e-9:
        raise ExperimentError(f"shares of the variants must be above 0 and add up to 1; {p.tolist()} came")
    total = x.sum(axis=-1)
    null = (x * np.log(p)).sum(axis=-1)
    factors = [
        scipy.special.gammaln(c)
        - scipy.special.gammaln(c + total)
        + (scipy.special.gammaln(c * p + x) - scipy.special.gammaln(c * p)).sum(axis=-1)
        - null
        for c in concentrations
    ]
    return scipy.special.logsumexp(np.stack(factors), axis=0) - math.log(len(factors))


def _sentence(counts: Mapping[str, int], shares: Mapping[str, float], p_value: float, mismatch: bool) -> str:
    total = sum(counts.values())
    if total == 0:
        return "No unit has come yet."
    seen = ", ".join(f"{name} {counts[name] / total:.2%} (should be {shares[name]:.2%})" for name in shares)
    if mismatch:
        return (
            f"The variants do not have the units that they should: {seen}, of {total} units, p = {p_value:.2g}. "
            "Results mean nothing until it is known where units are lost."
        )
    return f"The variants have the units that they should: {seen}, of {total} units, p = {p_value:.2g}."
