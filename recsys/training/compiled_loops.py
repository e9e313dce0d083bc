"""Loops in Python that Numba compiles. Needs Numba, of the extra ``fast``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import torch

#: No result depends on the order of a sum, as nothing may be reassociated.
_IN_ORDER = {"contract", "nsz", "arcp"}

#: Operators of PyTorch that are loops, so that whatever watches operators sees them.
LIBRARY = torch.library.Library("recsys", "FRAGMENT")


def compiled(function: Callable[..., Any], any_order: bool = False) -> Callable[..., Any]:
    """``function``, compiled when it is first called, and kept on the disk where there is a place for it.

    Args:
        function: takes arrays and numbers.
        any_order: let sums be added up in another order, so that they take several numbers at once.
    """
    fastmath = _IN_ORDER | {"reassoc"} if any_order else _IN_ORDER
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": fastmath, "forceinline": any_order}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no directory can be written to
        return numba.njit(**options)(function)
