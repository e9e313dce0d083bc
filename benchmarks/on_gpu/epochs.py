"""Trains some epochs as ``scripts/train.py`` does, and gives the seconds of the last one."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import pytorch_lightning as pl
import torch

from recsys.training.fitting import fit
from recsys.training.module import RecommenderModule

#: In the first one kernels are loaded and memory is taken.
EPOCHS = 2


def epoch_seconds(module: RecommenderModule, device: torch.device, precision: str) -> float:
    """Seconds of the second epoch, without validation; the device has done everything at its end.

    Args:
        module: what is trained.
        device: where.
        precision: of Lightning's trainer, ``32-true`` or ``bf16-mixed``.
    """
    accelerator = "gpu" if device.type == "cuda" else "cpu"
    trainer = partial(pl.Trainer, max_epochs=EPOCHS, accelerator=accelerator, devices=1, precision=precision)
    with tempfile.TemporaryDirectory() as directory:
        report = fit(module, trainer, Path(directory), monitor=None, progress_bar=False)
    return report.epochs[-1]["train/seconds"]
