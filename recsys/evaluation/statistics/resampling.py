"""Resampled means for the bootstrap, on the device where the values are.

Shape suffixes: U users, M measures, R resamples.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

#: Weights held at once by device: 2**22 float64 are 32 MiB, 2**26 with what they are counted from 1 GiB.
MAX_WEIGHTS = {"cpu": 2**22, "cuda": 2**26}


def resampled_ratios(totals: Tensor, counts: Tensor, num_samples: int, seed: int) -> Tensor:
    """``sum of totals / sum of counts`` over users drawn with replacement, as many as there are, for each resample.

    Users and resamples are never a matrix on the host: some resamples at once are counted and multiplied where
    ``totals`` is. The draws of a GPU differ from those of the CPU; each repeats its own for the same seed.

    Args:
        totals: shape [U, M], float64.
        counts: shape [U, M] or [U, 1], float64.
        num_samples: R.
        seed: of the draws.

    Returns:
        Shape [R, M], float64, on the device; NaN where the counts of the drawn users are 0.
    """
    num_users = len(totals)
    at_once = max(1, MAX_WEIGHTS.get(totals.device.type, 2**22) // num_users)
    weights_of = _drawn_on_host if totals.device.type == "cpu" else drawn_on_device
    ratios = torch.empty(num_samples, totals.shape[1], dtype=torch.float64, device=totals.device)
    start = 0
    for weights in weights_of(num_users, num_samples, at_once, seed, totals.device):
        ratios[start : start + len(weights)] = (weights @ totals) / (weights @ counts)  # 0 / 0 is NaN
        start += len(weights)
    return ratios


def drawn_on_device(
    num_users: int, num_samples: int, at_once: int, seed: int, device: torch.device
) -> Iterator[Tensor]:
    """How often each user is drawn in each resample: blocks of shape [at most ``at_once``, U], float64.

    Nothing waits for the device: the draws are counted by adding ones, which is exact in any order.
    """
    generator = torch.Generator(device).manual_seed(seed)
    one = torch.ones((), dtype=torch.float64, device=device)
    for start in range(0, num_samples, at_once):
        shape = (min(at_once, num_samples - start), num_users)
        drawn = torch.randint(num_users, shape, generator=generator, device=device)
        weights = torch.zeros(shape, dtype=torch.float64, device=device)
        yield weights.scatter_add_(1, drawn, one.expand(shape))


def _drawn_on_host(num_users: int, num_samples: int, at_once: int, seed: int, device: torch.device) -> Iterator[Tensor]:
    """The same by NumPy, which counts a resample faster than PyTorch on the CPU."""
    random = np.random.Generator(np.random.SFC64(seed))
    for start in range(0, num_samples, at_once):
        weights = np.empty((min(at_once, num_samples - start), num_users))
        for row in weights:  # resamples, not users
            row[:] = np.bincount(random.integers(num_users, size=num_users), minlength=num_users)
        yield torch.from_numpy(weights).to(device)
