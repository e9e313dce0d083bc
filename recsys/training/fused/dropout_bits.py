"""Zeros and ones for dropout, drawn by a compiled loop that takes many of them at once. Needs Numba.

The distribution is that of :func:`recsys.models.layers.dropout.draw_kept`, at an eighth of the time. The bits are those
of SplitMix64, of which each number is a function of its place alone, so that the processor computes several together.

Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators (2014).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from recsys.training.compiled_loops import compiled

Array = npt.NDArray[Any]

_LEVELS = 2**8

#: Numbers that are drawn before they are compared: they stay in the nearest cache.
_AT_ONCE = 1024

_GOLDEN, _FIRST, _SECOND = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_SHIFTS = tuple(np.uint64(n) for n in (30, 27, 31))

_fast = partial(compiled, any_order=True)


@_fast
def _number(seed, place):  # type: ignore[no-untyped-def]
    z = seed + _GOLDEN * np.uint64(place + 1)
    z = (z ^ (z >> _SHIFTS[0])) * _FIRST
    z = (z ^ (z >> _SHIFTS[1])) * _SECOND
    return z ^ (z >> _SHIFTS[2])


@_fast
def _draw(seed, lowest, hits, numbers, kept):  # type: ignore[no-untyped-def]
    """Write zeros and ones to ``kept``, the bytes of ``numbers``: bytes below ``lowest``, and random ``hits``, drop."""
    for start in range(0, len(numbers), _AT_ONCE):
        part = numbers[start : start + _AT_ONCE]
        for place in range(len(part)):
            part[place] = _number(seed, start + place)
        of_part = kept[8 * start : 8 * (start + _AT_ONCE)]
        for element in range(len(of_part)):
            of_part[element] = of_part[element] >= lowest
    for hit in range(hits):
        kept[_number(seed, len(numbers) + hit) % np.uint64(len(kept))] = 0


def draw_bits(counts: Sequence[int], probability: float) -> Iterator[Array]:
    """Draw independently for each element of some arrays whether it is kept, seeded by PyTorch's global generator.

    Args:
        counts: elements of each array, at least 1.
        probability: probability of dropping an element, above 0 and below 1.

    Yields:
        Zeros and ones, shape [count], int8; valid until the next one is asked for.
    """
    dropped = int(probability * _LEVELS)
    lowest = np.int8(dropped - _LEVELS // 2)
    # The rest of the probability, as in draw_kept: P(kept) = (1 - dropped / 256) exp(-hits / count).
    rate = math.log1p(-dropped / _LEVELS) - math.log1p(-probability)
    hits = torch.poisson(torch.tensor([count * rate for count in counts], dtype=torch.float64)).long().tolist()
    seeds = torch.randint(2**63 - 1, (len(counts),)).numpy().view(np.uint64)
    room = np.empty(-(-max(counts, default=0) // 8), np.uint64)
    for count, seed, number in zip(counts, seeds, hits, strict=True):
        numbers = room[: -(-count // 8)]
        kept = numbers.view(np.int8)[:count]
        _draw(seed, lowest, number, numbers, kept)
        yield kept
