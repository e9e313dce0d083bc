"""Memory that is free on this machine."""

from __future__ import annotations

from pathlib import Path


def available_memory() -> int | None:
    """Bytes of memory that a process can still get; None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return None
    try:  # of a container, which may have less than its machine
        group = Path("/sys/fs/cgroup")
        limit = (group / "memory.max").read_text(encoding="utf-8").strip()
        used = int((group / "memory.current").read_text(encoding="utf-8"))
        return min(free, max(int(limit) - used, 0)) if limit != "max" else free
    except (OSError, ValueError):
        return free
