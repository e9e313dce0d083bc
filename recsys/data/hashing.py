"""Hashes of numbers, the same on every machine and in every version of NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

HashArray = npt.NDArray[np.uint64]

_STEP = np.uint64(0x9E3779B97F4A7C15)


def mixed(values: HashArray) -> HashArray:
    """Each number with its bits mixed, so that any two that differ have unlike hashes; overwrites ``values``.

    The finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
    """
    values ^= values >> np.uint64(30)
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(31)
    return values


def hash_columns(*columns: npt.NDArray[Any], seed: int = 0) -> HashArray:
    """One hash for each row of some columns of one length.

    Args:
        columns: of whole numbers, or of float32, whose bits are hashed.
        seed: other seeds give other hashes.

    Returns:
        Shape [N], uint64.
    """
    with np.errstate(over="ignore"):
        start = int(mixed(np.array([seed], dtype=np.uint64) + _STEP)[0])
        hashes = np.full(len(columns[0]), start, dtype=np.uint64)
        for column in columns:
            bits = column.view(np.uint32) if column.dtype == np.float32 else column
            hashes += bits.astype(np.uint64)
            hashes += _STEP
            mixed(hashes)
    return hashes


def uniform(hashes: HashArray) -> npt.NDArray[np.float64]:
    """The hashes as numbers in [0, 1)."""
    return (hashes >> np.uint64(11)).astype(np.float64) * 2.0**-53
