"""Loops in Python that Numba compiles. Needs Numba, of the extra ``fast``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

#: No result depends on the order of a sum, as nothing may be reassociated.
_IN_ORDER = {"contract", "nsz", "arcp"}


def compiled(function: Callable[..., Any], any_order: bool = False, inline: bool = False) -> Callable[..., Any]:
    """``function``, compiled when it is first called, and kept on the disk where there is a place for it.

    Args:
        function: takes arrays and numbers.
        any_order: let sums be added up in another order, so that they take several numbers at once; inline as well.
        inline: make it part of compiled loops that call it: a call takes as long as half a row of 64 numbers.
    """
    fastmath = _IN_ORDER | {"reassoc"} if any_order else _IN_ORDER
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": fastmath}
    options["forceinline"] = any_order or inline
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no directory can be written to
        return numba.njit(**options)(function)


@intrinsic
def _prefetch_byte(typing_context, array, row, byte):  # type: ignore[no-untyped-def]
    """Ask the processor for the cache line with a byte of a row of a matrix, without waiting for it."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        of_array, row, byte = arguments
        made = context.make_array(signature.args[0])(context, builder, of_array)
        stride = builder.extract_value(made.strides, 0)
        place = builder.add(builder.ptrtoint(made.data, stride.type), builder.add(builder.mul(row, stride), byte))
        flag = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, flag, flag, flag])
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", (cgutils.voidptr_t,), kind)
        # For reading, to be kept in all caches, as data.
        builder.call(prefetch, [builder.inttoptr(place, cgutils.voidptr_t), flag(0), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp), generate


@compiled
def prefetch_row(matrix, row):  # type: ignore[no-untyped-def]
    """Ask the processor for a row of a matrix that is going to be used, without waiting for it."""
    for byte in range(0, matrix.shape[1] * matrix.itemsize, 64):
        _prefetch_byte(matrix, row, byte)
