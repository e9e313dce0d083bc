"""The device that a configuration trains on."""

from __future__ import annotations

import torch
from omegaconf import DictConfig

from recsys.errors import RunError


def training_device(config: DictConfig) -> torch.device:
    """The device that :func:`accelerator` names.

    Raises:
        RunError: it is not there.
    """
    return torch.device("cuda" if accelerator(config) == "gpu" else "cpu")


def accelerator(config: DictConfig) -> str:
    """What to train on: for ``auto`` a CUDA GPU where there is one, else the CPU.

    Apple's GPU is left out, as it has no float64, which the metrics are computed in.

    Raises:
        RunError: another kind of device, or a GPU that is not there, is asked for, or more than one device.
    """
    asked = config.trainer.accelerator
    available = torch.cuda.is_available()
    if asked not in ("auto", "cpu", "gpu", "cuda") or (asked in ("gpu", "cuda") and not available):
        found = "there is a CUDA GPU" if available else "there is no CUDA GPU"
        raise RunError(f"trainer.accelerator must be auto, cpu or gpu, and {found}; it is {asked}. Choose another.")
    if config.trainer.devices != 1:
        raise RunError(f"Training runs on one device, but trainer.devices={config.trainer.devices}. Set it to 1.")
    return "cpu" if asked == "cpu" or not available else "gpu"
