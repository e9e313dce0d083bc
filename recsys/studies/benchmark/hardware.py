"""Summary of the hardware that a benchmark runs on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch


def hardware_summary() -> str:
    """Processor, usable cores, threads of PyTorch, memory, GPU and operating system, separated by commas."""
    parts = [_processor(), f"{_cores()} cores", f"{torch.get_num_threads()} threads"]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        parts.append(f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB of memory")
    parts.append(torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU")
    return ", ".join([*parts, platform.system()])


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()
