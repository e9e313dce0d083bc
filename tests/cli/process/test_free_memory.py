import ctypes
import subprocess
import sys

import pytest

is_gnu = sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim")

# Some arrays among those that are let go of stay, as it is with what a preparation leaves behind.
PROGRAM = """
import numpy as np
from recsys.cli.process.free_memory import release_free_memory

def own_bytes():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) * 1024

before = own_bytes()
arrays = [np.ones(4_000) for _ in range(3_000)]
kept = arrays[::100]
del arrays
held = own_bytes() - before
release_free_memory()
print(held, own_bytes() - before)
"""


@pytest.mark.skipif(not is_gnu, reason="the C library is not that of GNU")
def test_what_was_let_go_of_is_given_back():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    held, left = map(int, done.stdout.split())
    assert held > 50e6
    assert left < held / 3
