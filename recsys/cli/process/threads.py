"""Threads of the libraries that compute: no more than the processors that a command may use, and none that spins.

OpenMP threads that wait for the next piece of work keep their processor busy meanwhile, which gains little where
nothing else runs. Where something does, they take the processor from the thread that they wait for.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

from recsys.cli.process.cpus import usable_cpus

#: How a thread waits: OpenMP of GCC, which PyTorch and FAISS bring along, OpenMP of Intel and LLVM, OpenBLAS of NumPy.
WAITING = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}

#: Says how many threads there are, for all of them.
COUNT = "OMP_NUM_THREADS"


def choose_threads(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set what is not set yet, before a library that reads it is imported.

    The number is set only where a container limits the processors, of which the libraries do not know: elsewhere they
    choose it well, and results depend on it in the last digits.

    Args:
        environment: of the process and those that it starts.
    """
    for name, value in WAITING.items():
        environment.setdefault(name, value)
    if COUNT not in environment and (usable := usable_cpus()) < len(os.sched_getaffinity(0)):
        environment[COUNT] = str(usable)
