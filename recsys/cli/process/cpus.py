"""How many processors this process may use: fewer than the machine has, where it is bound or limited to some."""

from __future__ import annotations

import math
import os
from pathlib import Path

#: Where Linux shows the control groups of a process, and their limits.
PROC = Path("/proc/self/cgroup")
ROOT = Path("/sys/fs/cgroup")


def usable_cpus() -> int:
    """Processors that this process may run on at once, at least 1: its affinity, and the quota of its container."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(bound, math.ceil(cpu_quota(PROC, ROOT))))


def cpu_quota(proc: Path = PROC, root: Path = ROOT) -> float:
    """Processors' worth of time that the control groups of this process allow; infinite where none is limited.

    Args:
        proc: lists the groups of the process: ``0::/path`` of version 2, ``4:cpu,cpuacct:/path`` of version 1.
        root: where the groups are mounted.
    """
    try:
        lines = proc.read_text(encoding="utf-8").splitlines()
    except OSError:
        return _UNLIMITED
    quotas = [_UNLIMITED]
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        names = controllers.split(",")
        if number == "0" and not controllers:
            quotas += [_quota(*_words(group / "cpu.max", 2)) for group in _with_parents(root, path)]
        elif "cpu" in names:
            quotas += [
                _quota(*_words(group / "cpu.cfs_quota_us", 1), *_words(group / "cpu.cfs_period_us", 1))
                for mount in (root / controllers, root / "cpu")
                for group in _with_parents(mount, path)
            ]
    return min(quotas)


#: More than any machine has.
_UNLIMITED = float(1 << 20)


def _with_parents(mount: Path, path: str) -> list[Path]:
    """The directory of a group and those above it; in a container, whose groups begin elsewhere, the mount alone."""
    inside = Path(path.strip("/"))
    return [mount / part for part in (inside, *inside.parents)]


def _words(file: Path, count: int) -> list[str]:
    try:
        words = file.read_text(encoding="utf-8").split()
    except OSError:
        words = []
    return words if len(words) == count else ["max"] * count


def _quota(quota: str, period: str) -> float:
    if not quota.isdecimal() or not period.isdecimal() or int(quota) == 0 or int(period) == 0:
        return _UNLIMITED  # max, or -1
    return int(quota) / int(period)
