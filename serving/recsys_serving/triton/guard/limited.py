"""Becomes another program, with bounds that all its children have too: ``python limited.py PARENT BYTES PROGRAM ...``.

A program that would take more memory is refused it, instead of taking that of everything else on the machine. Where the
machine runs out of memory nevertheless, this program is ended before others are. When its parent ends, it is told to.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
#: From -1000 to 1000: how readily Linux ends a process to have its memory; others have 0.
_OOM_SCORE = 500


def main(arguments: Sequence[str]) -> None:
    """Set the bounds and become the program.

    Args:
        arguments: the parent's number; bytes of memory, 0 for no bound; the program with its arguments.
    """
    parent, memory_bytes, program = int(arguments[0]), int(arguments[1]), list(arguments[2:])
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
    if os.getppid() != parent:  # it ended before it could be asked to say so
        sys.exit(1)
    if memory_bytes > 0:
        # What a process has for itself; files that are mapped and memory that is shared do not count.
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        bound = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))
    with contextlib.suppress(OSError):  # a container may forbid it
        Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE), encoding="ascii")
    os.execv(program[0], program)


if __name__ == "__main__":
    main(sys.argv[1:])
