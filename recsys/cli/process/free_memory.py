"""Gives memory that was let go of back to the machine: allocators keep it for their next use."""

from __future__ import annotations

import ctypes
import sys


def release_free_memory() -> None:
    """Have the allocators of Arrow and of the C library give back what they hold and nobody uses.

    Worth it after work whose memory is not needed again, such as the batches of a preparation, which come to some
    hundred MB. Where the C library is not that of GNU, its part stays as it is.
    """
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
