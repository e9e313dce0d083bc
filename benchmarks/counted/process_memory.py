"""Watches the memory of another process until it ends."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

_SECONDS_BETWEEN = 0.002
#: The most of all pages is read each time that so many looks have passed.
_LOOKS_AT_TOTAL = 25

#: Settings that let allocators give back what is let go of, so that what is counted is what the program holds. By
#: themselves they keep some for the next use, others in each run: Arrow by a pool of its own, glibc by arenas of its
#: threads, and as it learns from each array that is freed to keep larger ones, up to 32 MiB.
PROMPT_ALLOCATORS = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 17),
}


@dataclass(frozen=True, slots=True)
class PeakMemory:
    """The most memory that a process had at once.

    Args:
        total: bytes of all resident pages.
        own: bytes of the pages that are its own: without mapped files, which the machine takes back when it needs to.
        cpu_seconds: time that it took of the processor.
    """

    total: int
    own: int
    cpu_seconds: float


def watch_memory(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> PeakMemory:
    """Wait for ``process`` to end, and look at its memory every few milliseconds (Linux)."""
    status, pages = (Path(f"/proc/{process.pid}/{name}") for name in ("status", "statm"))
    page_size, looks = os.sysconf("SC_PAGE_SIZE"), 0
    total = own = 0
    before = os.times()
    while process.poll() is None:
        # Of all pages those that are not of files; one short line, which costs less than the table of ``status``.
        fields = pages.read_text().split()
        own = max(own, (int(fields[1]) - int(fields[2])) * page_size)
        if looks % _LOOKS_AT_TOTAL == 0:  # of which the kernel keeps the most
            lines = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
            total = max([total, *(_bytes(line.split(":", 1)[1]) for line in lines)])
        looks += 1
        time.sleep(_SECONDS_BETWEEN)
    after = os.times()
    cpu_seconds = after.children_user + after.children_system - before.children_user - before.children_system
    return PeakMemory(total, own, cpu_seconds)


def own_bytes() -> int:
    """Bytes of the pages of this process that are its own (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return _bytes(next(line for line in lines if line.startswith("RssAnon")).split(":", 1)[1])


def _bytes(stated: str) -> int:
    return int(stated.split()[0]) * 1024
