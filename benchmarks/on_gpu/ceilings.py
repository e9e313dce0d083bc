"""Measures what the device can do at most: a large copy, and large products of matrices with random entries."""

from __future__ import annotations

import torch

from on_gpu.measurement import Ceilings, seconds_of
from on_gpu.sizes import Sizes

REPEATS = 10


def measure_ceilings(device: torch.device, sizes: Sizes) -> Ceilings:
    """Bandwidth and rates; products of float32 are in the precision that training uses.

    Args:
        device: the device.
        sizes: says how large the copy and the matrices are.
    """
    source = torch.randn(sizes.copied_floats, device=device)
    target = torch.empty_like(source)
    copying = seconds_of(lambda: target.copy_(source), device, REPEATS)
    rates = {}
    for dtype in (torch.float32, torch.bfloat16):
        left, right = torch.randn(2, sizes.matrix_size, sizes.matrix_size, device=device).to(dtype)
        product = torch.empty_like(left)

        def multiply(left: torch.Tensor = left, right: torch.Tensor = right, out: torch.Tensor = product) -> None:
            torch.mm(left, right, out=out)

        rates[str(dtype).removeprefix("torch.")] = 2 * sizes.matrix_size**3 / seconds_of(multiply, device, REPEATS)
    return Ceilings(2 * 4 * sizes.copied_floats / copying, rates)
