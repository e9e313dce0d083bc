"""The precision that a configuration trains in."""

from __future__ import annotations

import torch
from omegaconf import DictConfig

from recsys.errors import RunError
from recsys.runs.device import accelerator

#: What ``trainer.precision=auto`` is, for Lightning: weights and results in single precision.
AUTO = "32-true"


def lightning_precision(config: DictConfig) -> str:
    """What Lightning's trainer takes for ``trainer.precision``.

    ``auto`` and ``32-true`` are single precision. ``bf16`` is ``bf16-mixed``: weights in single precision and products
    in bfloat16. Other words are Lightning's own.

    Raises:
        RunError: bfloat16 is asked for, and the device multiplies no faster in it.
    """
    asked = str(config.trainer.precision)
    if not asked.startswith("bf16"):
        return AUTO if asked == "auto" else asked
    device = accelerator(config)
    if not multiplies_bfloat16(device):
        needed = "a GPU of NVIDIA's Ampere or later" if device == "gpu" else "a processor with AVX512_BF16 or AMX"
        raise RunError(
            f"trainer.precision={asked} needs {needed}, but this one has no products of bfloat16: they "
            "would be emulated, slower than single precision. Set trainer.precision=32-true, or use another device."
        )
    return "bf16-mixed" if asked == "bf16" else asked


def product_precision(config: DictConfig) -> str:
    """Of products of matrices in the steps of an optimiser, as :func:`torch.set_float32_matmul_precision` takes it.

    ``high``, which is TF32 with ten bits of the mantissa, where ``trainer.precision`` is ``auto`` on a GPU: the noise
    of a step's negatives or dropout is far larger. Models in closed form, validation and evaluation stay ``highest``.
    """
    return "high" if str(config.trainer.precision) == "auto" and accelerator(config) == "gpu" else "highest"


def multiplies_bfloat16(device: str) -> bool:
    """Whether the ``cpu`` or the ``gpu`` has instructions for products of bfloat16."""
    if device == "gpu":
        return torch.cuda.get_device_capability() >= (8, 0)
    # PyTorch has no public way to ask.
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
