"""A measured time beside the floor that the device sets: bytes over bandwidth, or operations over rate."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What the device can do at most, as measured.

    Args:
        bytes_per_second: of memory, read and written together.
        operations_per_second: floating-point operations of matrix products, by precision: ``float32``, ``bfloat16``.
    """

    bytes_per_second: float
    operations_per_second: dict[str, float]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measured figure.

    Args:
        name: as PART/FIGURE.
        seconds: of what ``name`` says.
        floor_bytes: the fewest bytes that memory has to give and take for it.
        floor_operations: the fewest floating-point operations of it.
        precision: of the products, a key of :attr:`Ceilings.operations_per_second`.
        details: what else is worth knowing: sizes, samples a second.
    """

    name: str
    seconds: float
    floor_bytes: float
    floor_operations: float
    precision: str = "float32"
    details: dict[str, Any] = field(default_factory=dict)

    def record(self, ceilings: Ceilings) -> dict[str, Any]:
        """What is written: the time, the floor, what sets it, and the share of the time that the floor is."""
        by_memory = self.floor_bytes / ceilings.bytes_per_second
        by_arithmetic = self.floor_operations / ceilings.operations_per_second[self.precision]
        floor = max(by_memory, by_arithmetic)
        return {
            "name": self.name,
            "seconds": self.seconds,
            "floor_seconds": floor,
            "floor_share": floor / self.seconds,
            "floor_of": "bytes" if by_memory >= by_arithmetic else "operations",
            "floor_bytes": self.floor_bytes,
            "floor_operations": self.floor_operations,
            "precision": self.precision,
            **self.details,
        }


def wait_for(device: torch.device) -> None:
    """Wait until the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds_of(call: Callable[[], object], device: torch.device, repeats: int = 1, warm_up: bool = True) -> float:
    """The mean seconds of ``call``, from an idle device to an idle device.

    Args:
        call: what is measured.
        device: where it computes.
        repeats: calls that are measured, one after the other.
        warm_up: call once before, so that kernels are loaded and memory is there.
    """
    if warm_up:
        call()
    wait_for(device)
    started = time.perf_counter()
    for _ in range(repeats):
        call()
    wait_for(device)
    return (time.perf_counter() - started) / repeats
