"""Approximate scores of a perceptron for all pairs by 8-bit integer products, with an error bound.

The second layer of such a perceptron is nearly all of the work of scoring a catalogue. With the integer instructions
of recent processors it takes a quarter of the time of single precision.

Shape suffixes: B users, I items of the catalogue, H and J units of the first and the second layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

_LARGEST = 127
#: An integer below 2**22 added to the bits of this float gives the bits of their sum.
_SHIFT = 1.5 * 2**23
_BITS_OF_SHIFT = 0x4B400000

#: Largest first layer whose products of bytes sum to less than 2**22.
LARGEST_LAYER = 2**22 // _LARGEST**2

#: Items of a block, whose units fit the cache.
_ITEMS_PER_BLOCK = 2**12

_SMALLEST_STEP = 1e-20
_ROUNDING = torch.finfo(torch.float32).eps

#: Covers the rounding of the norms themselves.
_MARGIN = 1.001


def multiplies_bytes(device: torch.device) -> bool:
    """Whether 8-bit integer products are exact and faster than floating-point ones on ``device``.

    This needs a CPU with VNNI instructions. Intermediate sums may overflow on older ones.
    """
    supported = getattr(torch.cpu, "_is_vnni_supported", None)
    return device.type == "cpu" and hasattr(torch, "_int_mm") and supported is not None and bool(supported())


def approximate_perceptron(
    user_part: Tensor, item_part: Tensor, layers: Sequence[nn.Linear]
) -> tuple[Tensor, Tensor] | None:
    """Approximate ``w . relu(W_n ... relu(W_2 relu(a_u + c_i) + b_2))`` for all pairs.

    As ``relu(a + c) = a + max(c, -a)``, only the maximum depends on the pair. Quantised as ``m + s * n`` with integers
    ``|n| <= 127`` for each unit, it is a maximum of bytes, and the second layer is a product of bytes.

    Error bound: with ``E`` the rounding error of ``W_2 diag(s)`` and ``e`` that of the maximum, the second layer is off
    by ``E n + W_2 e``, whose length is at most ``|E| |n| + |W_2| |e|`` in spectral norms. A rectifier does not increase
    it, and each further layer increases it at most by the factor of its norm.

    Args:
        user_part: the first layer's sums of users, a, with its bias, shape [B, H]; H at most :data:`LARGEST_LAYER`.
        item_part: the first layer's sums of items, c, shape [I, H]; I at least 1.
        layers: at least two: those after the first, the last to one unit.

    Returns:
        Scores, shape [B, I], and the largest possible difference of the scores of each user from single precision,
        shape [B, 1]. None if a number is not finite.
    """
    rounding = _rounding(user_part, item_part, layers)
    if not bool(rounding.isfinite().all()):
        return None
    second, *others = layers
    lowest, highest = item_part.aminmax(dim=0)
    middle = (highest + lowest) / 2
    step = _usable((highest - lowest) / (2 * _LARGEST))
    item_bytes, item_error = _to_bytes(item_part, middle, step)
    # A user value beyond those of all items is clamped: there the maximum is the same side for all items.
    user_bytes, user_error = _to_bytes((-user_part).clamp(lowest, highest), middle, step)

    scaled = second.weight * step
    unit = _usable(scaled.abs().amax(1, keepdim=True) / _LARGEST)
    weight_bytes, weight_error = _to_bytes(scaled, torch.zeros(()), unit)
    constant = torch.addmm(second.bias, torch.maximum(user_part, -highest) + middle, second.weight.T)

    # relu(unit * n + constant) = constant + unit * max(n, -constant / unit); the next layer absorbs the terms outside.
    third, *rest = others
    floors = -constant / unit[:, 0]
    weight = third.weight * unit[:, 0]
    biases = torch.addmm(third.bias, constant, third.weight.T)
    scores = user_part.new_empty(len(user_part), len(item_part))
    blocks = item_bytes.split(_ITEMS_PER_BLOCK)
    largest = torch.empty_like(blocks[0])
    whole = torch.empty(len(blocks[0]), len(unit), dtype=torch.int32)
    for row, (bytes_of_user, floor, bias) in enumerate(zip(user_bytes, floors, biases, strict=True)):
        for block, answers in zip(blocks, scores[row].split(_ITEMS_PER_BLOCK), strict=True):
            sums = whole[: len(block)]
            torch.maximum(block, bytes_of_user, out=largest[: len(block)])
            torch._int_mm(largest[: len(block)], weight_bytes.T, out=sums)
            hidden = _to_float_(sums)
            torch.maximum(hidden, floor, out=hidden)
            if not rest:
                torch.addmv(bias, hidden, weight[0], out=answers)
                continue
            hidden = torch.addmm(bias, hidden, weight.T)
            for layer in rest:
                hidden = layer(hidden.relu_())
            answers.copy_(hidden[:, 0])

    spectral = partial(torch.linalg.matrix_norm, ord=2)
    beyond = torch.stack([spectral(layer.weight) for layer in others]).prod()
    error = spectral(weight_error) * _longest(user_bytes.float(), item_bytes.float())
    error += spectral(second.weight) * _longest(user_error, item_error)
    return scores, beyond * _MARGIN * error + rounding


def _usable(step: Tensor) -> Tensor:
    """A step that is safe to divide by. Values that are all equal become zeros, with themselves as the error."""
    return torch.where(step < _SMALLEST_STEP, 1.0, step)


def _to_bytes(values: Tensor, middle: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
    """The bytes n of ``values = middle + step * n + error``, and the error."""
    numbers = ((values - middle) / step).round().clamp(-_LARGEST, _LARGEST)
    return numbers.to(torch.int8), values - (middle + step * numbers)


def _to_float_(numbers: Tensor) -> Tensor:
    """Integers (int32) below 2**22 as floats in the same memory, since the cache has no room for both."""
    numbers.add_(_BITS_OF_SHIFT)
    return numbers.view(torch.float32).sub_(_SHIFT)


def _longest(of_users: Tensor, of_items: Tensor) -> Tensor:
    """Bound on the length of the maximum of a user's row x and any item's row y, ``(|x|^2 + |y|^2)^(1/2)``; [B, 1]."""
    return (of_users.square().sum(1, keepdim=True) + of_items.square().sum(1).max()).sqrt()


def _rounding(user_part: Tensor, item_part: Tensor, layers: Sequence[nn.Linear]) -> Tensor:
    """Bound on the rounding error of single precision, over both ways of computing a score; [B, 1].

    The error of a sum of n products is at most about n roundings of the sum of their absolute values, which is bounded
    by Frobenius norms (Higham: Accuracy and Stability of Numerical Algorithms, 2002, section 3.5).
    """
    length = user_part.norm(dim=1, keepdim=True) + item_part.norm(dim=1).max()
    count = user_part.shape[1]
    for layer in layers:
        length = length * layer.weight.norm() + layer.bias.norm()
        count += layer.in_features + 2
    return 2 * count * _ROUNDING * length
