"""A step of the two-tower model at the settings of ``experiment=beauty_two_tower``."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from counted.two_tower import beauty_module
from torch.utils.flop_counter import FlopCounterMode

from on_gpu.epochs import epoch_seconds
from on_gpu.measurement import Measurement
from on_gpu.sampled_training import PRECISIONS
from on_gpu.sizes import Sizes

#: AdamW reads a parameter, its gradient and two moments, and writes all but the gradient; that is written before.
BYTES_OF_ADAM = 8 * 4


def measure_two_tower(device: torch.device, sizes: Sizes) -> Iterator[Measurement]:
    """A step in single precision and in bfloat16, the mean over an epoch."""
    for precision, of_trainer in PRECISIONS.items():
        module = beauty_module(sizes.two_tower_users, sizes.two_tower_items)
        seconds = epoch_seconds(module, device, of_trainer)
        windows = next(iter(module.train_dataloader()))
        steps = -(-module.num_windows // module.batch_size)
        module.network.to(device)
        with FlopCounterMode(display=False) as counter:
            batch = next(iter(module.steps(windows)))
            module.loss(batch).backward()
        parameters = sum(parameter.numel() for parameter in module.network.parameters())
        yield Measurement(
            f"two_tower/step_{precision}",
            seconds / steps,
            floor_bytes=parameters * BYTES_OF_ADAM,
            floor_operations=counter.get_total_flops(),
            precision=precision,
            details={"targets": len(batch.targets), "targets_per_second": len(batch.targets) * steps / seconds},
        )
