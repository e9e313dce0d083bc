"""How much memory a device has free."""

from __future__ import annotations

import torch

from recsys.cli.process.memory import available_memory


def free_memory(device: torch.device) -> int | None:
    """Bytes that a new tensor on ``device`` can take; None where nobody tells.

    On a GPU this is what no process uses, and what PyTorch keeps for tensors that are gone.
    """
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))
    return available_memory() if device.type == "cpu" else None
