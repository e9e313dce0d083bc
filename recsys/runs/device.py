"""The device that a configuration trains on."""

from __future__ import annotations

import torch
from omegaconf import DictConfig

from recsys.distributed.ranks import ranks
from recsys.errors import RunError


def training_device(config: DictConfig) -> torch.device:
    """The device that :func:`accelerator` names; of several of a training, that of this process.

    Raises:
        RunError: it is not there.
    """
    return torch.device("cuda", ranks().local_rank) if accelerator(config) == "gpu" else torch.device("cpu")


def accelerator(config: DictConfig) -> str:
    """What to train on: for ``auto`` a CUDA GPU where there is one, else the CPU.

    Raises:
        RunError: as of :func:`available_accelerator`, or another number of devices than there are processes of this
            training is asked for.
    """
    devices, num_nodes = config.trainer.devices, config.trainer.get("num_nodes") or 1
    if (devices, num_nodes) != (ranks().local_size, ranks().num_nodes):
        raise RunError(
            f"This command trains on one device, but trainer.devices={devices} and trainer.num_nodes={num_nodes}. "
            "Leave them out: the command train alone takes several."
        )
    return available_accelerator(config)


def available_accelerator(config: DictConfig) -> str:
    """``cpu`` or ``gpu``, whatever the number of devices.

    Apple's GPU is left out, as it has no float64, which the metrics are computed in.

    Raises:
        RunError: another kind of device, or GPUs that are not there, are asked for.
    """
    asked = config.trainer.accelerator
    available = torch.cuda.is_available()
    if asked not in ("auto", "cpu", "gpu", "cuda") or (asked in ("gpu", "cuda") and not available):
        found = "there is a CUDA GPU" if available else "there is no CUDA GPU"
        raise RunError(f"trainer.accelerator must be auto, cpu or gpu, and {found}; it is {asked}. Choose another.")
    chosen = "cpu" if asked == "cpu" or not available else "gpu"
    if chosen == "gpu" and config.trainer.devices > torch.cuda.device_count():
        raise RunError(
            f"trainer.devices={config.trainer.devices} needs as many GPUs, but there are {torch.cuda.device_count()} "
            "here. Set it lower, or trainer.accelerator=cpu."
        )
    return chosen
