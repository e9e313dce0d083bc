"""Counts the bytes that an interaction of a bundle's histories takes in each process that answers from it.

Two sizes, each opened in a process of its own, tell what grows with the interactions from what does not::

    python benchmarks/counts.py bundle/history_bytes_per_interaction
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # where it runs alone

from counted.process_memory import PROMPT_ALLOCATORS, own_bytes  # noqa: E402

#: Users of the two sizes.
NUM_USERS = (5_000, 40_000)
_PER_USER = 100
#: Whose histories are taken before memory is looked at.
_ASKED = 1_000


def history_bytes_per_interaction() -> float:
    """Own bytes that each further interaction of the histories adds to a process; mapped files are left out."""
    small, large = (_counted(size) for size in NUM_USERS)
    return (large - small) / ((NUM_USERS[1] - NUM_USERS[0]) * _PER_USER)


def _counted(num_users: int) -> int:
    from recsys.runtime.bundle import MAPPED_HISTORIES
    from recsys.runtime.history_file import write_history_file

    count = num_users * _PER_USER
    with tempfile.TemporaryDirectory() as directory:
        write_history_file(
            np.arange(num_users + 1, dtype=np.int64) * _PER_USER,
            np.arange(count, dtype=np.int32) % 5_000,
            np.ones(count, dtype=np.float32),
            np.arange(count, dtype=np.int64),
            Path(directory, MAPPED_HISTORIES),
        )
        done = subprocess.run(
            [sys.executable, __file__, directory, str(num_users)],
            capture_output=True,
            text=True,
            env=os.environ | PROMPT_ALLOCATORS,
        )
    if done.returncode != 0:
        raise RuntimeError(f"counting {num_users:,} histories failed: {done.stderr[-2000:]}")
    return int(done.stdout)


def _answer(directory: str, num_users: int) -> int:
    """Own bytes once the histories of a bundle were opened and those of some users taken."""
    from recsys.runtime.bundle import MAPPED_HISTORIES, Bundle

    before = own_bytes()
    # Of the manifest no more is read than which files there are, and of how many users.
    manifest: Any = SimpleNamespace(files={MAPPED_HISTORIES: None}, data=SimpleNamespace(num_users=num_users))
    bundle = Bundle(Path(directory), manifest)
    for user in np.linspace(0, num_users - 1, _ASKED).astype(np.int64):
        assert len(bundle.histories.take(np.array([user])).items) == _PER_USER
    return own_bytes() - before


if __name__ == "__main__":
    print(_answer(sys.argv[1], int(sys.argv[2])))
