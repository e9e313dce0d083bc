"""Threads of the libraries that compute: no more than the processors that a command may use, and none that spins.

Threads that wait for the next piece of work keep their processor busy meanwhile, which gains little where nothing else
runs. Where something does, they take the processor from the thread that they wait for.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

from recsys.cli.process.cpus import usable_cpus

#: How OpenMP threads wait, of GCC (PyTorch and FAISS bring it along), then of Intel and LLVM: for some microseconds
#: awake, in which most of the next pieces of work come, then asleep.
OPENMP_WAITING = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000", "KMP_BLOCKTIME": "0"}

#: How those of OpenBLAS do (NumPy, SciPy and FAISS have it): awake for 2 to the power of this many cycles. It is 26
#: where it is not said, and 4 is the least.
OPENBLAS_WAITING = {"OPENBLAS_THREAD_TIMEOUT": "4"}

#: Says how many threads there are, for all of them.
COUNT = "OMP_NUM_THREADS"


def choose_threads(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set what is not set yet, before a library that reads it is imported.

    Whoever sets ``OMP_WAIT_POLICY`` says all of how OpenMP waits.

    The number is set only where a container limits the processors, of which the libraries do not know: elsewhere they
    choose it well, and results depend on it in the last digits.

    Args:
        environment: of the process and those that it starts.
    """
    chosen = OPENBLAS_WAITING if "OMP_WAIT_POLICY" in environment else OPENMP_WAITING | OPENBLAS_WAITING
    for name, value in chosen.items():
        environment.setdefault(name, value)
    if COUNT not in environment and (usable := usable_cpus()) < len(os.sched_getaffinity(0)):
        environment[COUNT] = str(usable)
