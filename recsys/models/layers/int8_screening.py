"""Scores of a perceptron over all pairs from products of 8-bit integers, with a bound on how far off they are.

The second layer of such a perceptron is nearly all of the work of scoring a catalogue. With the integer instructions
of recent processors it takes a quarter of the time that it takes in single precision.

Shape suffixes: B users, I items of the catalogue, H and J units of the first and the second layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

_LARGEST = 127
#: Added to the bits of this number, a whole number below 2**22 gives the bits of their sum.
_SHIFT = 1.5 * 2**23
_BITS_OF_SHIFT = 0x4B400000

#: Units of a first layer of which products of bytes add up to less than 2**22.
LARGEST_LAYER = 2**22 // _LARGEST**2

#: Items whose units stay in cache together.
_ITEMS_PER_BLOCK = 2**12

_SMALLEST_STEP = 1e-20
_ROUNDING = torch.finfo(torch.float32).eps

#: Covers the rounding of the norms themselves.
_MARGIN = 1.001


def multiplies_bytes(device: torch.device) -> bool:
    """Whether products of 8-bit integers are exact, and faster than floating-point ones, on ``device``.

    That is on processors with the instructions for it (VNNI). Older ones may overflow in between.
    """
    supported = getattr(torch.cpu, "_is_vnni_supported", None)
    return device.type == "cpu" and hasattr(torch, "_int_mm") and supported is not None and bool(supported())


def approximate_perceptron(
    user_part: Tensor, item_part: Tensor, layers: Sequence[nn.Linear]
) -> tuple[Tensor, Tensor] | None:
    """``w . relu(W_n ... relu(W_2 relu(a_u + c_i) + b_2))`` for all pairs, roughly.

    As ``relu(a + c) = a + max(c, -a)``, only the maximum depends on the pair. Written as ``m + s * n`` with whole
    numbers ``|n| <= 127`` for each unit, it needs one maximum of bytes, and the second layer one product of bytes.

    How far a unit of the second layer can be off: with ``E`` what rounding to bytes took from ``W_2 diag(s)`` and
    ``e`` what it took from the maximum, by ``E n + W_2 e``, whose length is at most ``|E| |n| + |W_2| |e|`` in spectral
    norms. Rectifying makes no difference larger, and each further layer enlarges one at most by its norm.

    Args:
        user_part: the first layer's sums of users, a, with its bias, shape [B, H]; H at most :data:`LARGEST_LAYER`.
        item_part: the first layer's sums of items, c, shape [I, H]; I at least 1.
        layers: at least two: those after the first, the last to one unit.

    Returns:
        Scores, shape [B, I], and the most that those of a user may differ from what single precision gives, shape
        [B, 1]. None where a number is not finite.
    """
    rounding = _rounding(user_part, item_part, layers)
    if not bool(rounding.isfinite().all()):
        return None
    second, *others = layers
    lowest, highest = item_part.aminmax(dim=0)
    middle = (highest + lowest) / 2
    step = _usable((highest - lowest) / (2 * _LARGEST))
    item_bytes, item_error = _to_bytes(item_part, middle, step)
    # What is beyond all items on one side is the same for all: there the maximum is one of its two sides.
    user_bytes, user_error = _to_bytes((-user_part).clamp(lowest, highest), middle, step)

    scaled = second.weight * step
    unit = _usable(scaled.abs().amax(1, keepdim=True) / _LARGEST)
    weight_bytes, weight_error = _to_bytes(scaled, torch.zeros(()), unit)
    constant = torch.addmm(second.bias, torch.maximum(user_part, -highest) + middle, second.weight.T)

    # relu(unit * n + constant) = constant + unit * max(n, -constant / unit); the next layer takes in what is outside.
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
    """A step that can be divided by. Values that are all alike become zeros, with themselves as the error."""
    return torch.where(step < _SMALLEST_STEP, 1.0, step)


def _to_bytes(values: Tensor, middle: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
    """The bytes n of ``values = middle + step * n + error``, and the error."""
    numbers = ((values - middle) / step).round().clamp(-_LARGEST, _LARGEST)
    return numbers.to(torch.int8), values - (middle + step * numbers)


def _to_float_(numbers: Tensor) -> Tensor:
    """Whole numbers (int32) below 2**22 as floating-point ones in the same memory: for both the cache is too small."""
    numbers.add_(_BITS_OF_SHIFT)
    return numbers.view(torch.float32).sub_(_SHIFT)


def _longest(of_users: Tensor, of_items: Tensor) -> Tensor:
    """What the maximum of a user's row x and any item's row y is not longer than, ``(|x|^2 + |y|^2)^(1/2)``; [B, 1]."""
    return (of_users.square().sum(1, keepdim=True) + of_items.square().sum(1).max()).sqrt()


def _rounding(user_part: Tensor, item_part: Tensor, layers: Sequence[nn.Linear]) -> Tensor:
    """How far off single precision itself may be, in both ways of computing a score together; [B, 1].

    A sum of n products is off by at most about n roundings of the sum of their absolute values, and that is bounded by
    Frobenius norms (Higham: Accuracy and Stability of Numerical Algorithms, 2002, section 3.5).
    """
    length = user_part.norm(dim=1, keepdim=True) + item_part.norm(dim=1).max()
    count = user_part.shape[1]
    for layer in layers:
        length = length * layer.weight.norm() + layer.bias.norm()
        count += layer.in_features + 2
    return 2 * count * _ROUNDING * length
