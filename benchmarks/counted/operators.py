"""Counts what a piece of PyTorch costs: operators, bytes and waits for the device, the same on every machine.

The counts are those of the operators that PyTorch dispatches, whatever the device, so that a run on the CPU tells what
a GPU would launch and wait for. Compiled loops are seen where they are operators of their own, such as those of
``recsys::``, whose first argument says which rows of tables they are for.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

#: Operators that allocate, or look at a tensor in another way: nothing runs on the device.
_FREE = {
    "empty",
    "empty_like",
    "empty_strided",
    "new_empty",
    "new_empty_strided",
    "_unsafe_view",
    "_reshape_alias",
    "_sparse_coo_tensor_with_dims_and_tensors",
    "lift_fresh",
    "detach",
    "alias",
    "set_",
    "resize_",
}

#: Operators whose result the host has to know, a number or the length of what comes out. In inference mode those that
#: are made of others are dispatched whole, such as ``item``.
_WAITING = {
    "_local_scalar_dense",
    "_unique",
    "_unique2",
    "allclose",
    "argwhere",
    "bincount",
    "equal",
    "is_nonzero",
    "item",
    "masked_select",
    "nonzero",
    "nonzero_numpy",
    "unique_consecutive",
    "unique_dim",
}

#: Of a table they read only the rows that are asked for.
_READS_ROWS = {"embedding", "gather", "index", "index_select", "take"}

#: Of a table they change only the rows that are named.
_WRITES_ROWS = {"index_add", "index_copy", "index_put", "scatter", "scatter_add", "scatter_reduce"}

#: What copies a tensor to the host, by the name of the method.
_TO_HOST = (Tensor.cpu, Tensor.numpy, Tensor.tolist)


@dataclass
class OperatorCount:
    """What some code did.

    Args:
        kernels: operators that run on the device.
        bytes: that they read and write, each tensor once for each operator; of a table only the rows that are used.
        synchronisations: how often the host waits for the device.
        by_operator: bytes by the name of the operator.
        waiting: how often the host waits, by the name of the operator.
    """

    kernels: int = 0
    bytes: int = 0
    synchronisations: int = 0
    by_operator: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)


class CountOperators:
    """A context in which :attr:`count` grows with every operator.

    Use it around what is counted::

        with CountOperators() as counted:
            step()
        counted.count.kernels
    """

    def __init__(self) -> None:
        self.count = OperatorCount()
        self._modes = (_Dispatched(self.count), _CopiedToHost(self.count))

    def __enter__(self) -> CountOperators:
        for mode in self._modes:
            mode.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        for mode in reversed(self._modes):
            mode.__exit__(*error)


class _Dispatched(TorchDispatchMode):
    def __init__(self, count: OperatorCount) -> None:
        super().__init__()
        self._count = count

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        name = function._schema.name.removeprefix("aten::")
        if name in _FREE or function.is_view:
            return result
        inputs = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        outputs = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        if name.startswith("recsys::"):
            moved = _moved_by_loops(function, args)
        else:
            moved = _moved(name.rstrip("_"), inputs, outputs, _num_changed(function, args, kwargs))
        self._count.kernels += 1
        self._count.bytes += moved
        self._count.by_operator[name] += moved
        if _waits(name.rstrip("_"), args, kwargs or {}):
            self._count.synchronisations += 1
            self._count.waiting[name] += 1
        return result


class _CopiedToHost(TorchFunctionMode):
    def __init__(self, count: OperatorCount) -> None:
        super().__init__()
        self._count = count

    def __torch_function__(self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function in _TO_HOST:
            self._count.synchronisations += 1
            self._count.waiting[function.__name__] += 1
        return function(*args, **(kwargs or {}))


def _size(tensor: Tensor) -> int:
    if tensor.is_sparse:
        return _size(tensor._indices()) + _size(tensor._values())
    return tensor.numel() * tensor.element_size()


def _num_changed(function: Any, args: Any, kwargs: Any) -> int:
    """Bytes of the arguments that the operator writes to."""
    named = {argument.name: value for argument, value in zip(function._schema.arguments, args, strict=False)}
    named |= kwargs or {}
    changed = [
        named.get(argument.name)
        for argument in function._schema.arguments
        if argument.alias_info is not None and argument.alias_info.is_write
    ]
    return sum(_size(leaf) for leaf in tree_leaves(changed) if isinstance(leaf, Tensor))


def _moved(name: str, inputs: list[Tensor], outputs: list[Tensor], changed: int) -> int:
    """Bytes that an operator reads and writes."""
    written = 0 if changed else sum(map(_size, outputs))
    if name.removeprefix("_unsafe_") in _READS_ROWS:
        return 2 * written + sum(map(_size, inputs[1:]))
    if name.removeprefix("_unsafe_").removesuffix("_impl") in _WRITES_ROWS:
        rows = sum(map(_size, inputs[1:]))
        return rows + 2 * _size(inputs[-1]) + (0 if changed else 2 * written)
    if name == "searchsorted":
        sorted_values, values = inputs[0], inputs[1]
        steps = math.ceil(math.log2(max(sorted_values.shape[-1], 2)))
        return written + _size(values) + values.numel() * steps * sorted_values.element_size()
    return sum(map(_size, inputs)) + written + changed


def _moved_by_loops(function: Any, args: Any) -> int:
    """Bytes that loops over rows of tables read and write: each distinct row of a table that they change, twice.

    All else goes through the processor once. A row that comes several times is in the cache, as are sums in between.
    Where there is an argument ``X_ids``, it says which rows of ``X_weight``, ``X_bias`` and ``X_grad`` are meant, and
    no others are read; elsewhere the first argument says it. What has a row for each of the ids is no table. An
    argument may be several tensors.
    """
    arguments = function._schema.arguments
    named = {argument.name: value for argument, value in zip(arguments, args, strict=False)}
    moved = 0
    for argument in arguments:
        own = named.get(f"{argument.name.split('_')[0]}_ids")
        ids = args[0] if own is None else own
        writes = argument.alias_info is not None and argument.alias_info.is_write
        for tensor in tree_leaves(named.get(argument.name)):
            if not isinstance(tensor, Tensor):
                continue
            table = writes if own is None else tensor is not own and len(tensor) != ids.numel()
            row = _size(tensor) // max(len(tensor), 1)
            rows = min(len(torch.unique(ids)), len(tensor))
            moved += rows * row * (2 if writes else 1) if table else _size(tensor)
    return moved


def _waits(name: str, args: Any, kwargs: Any) -> bool:
    """Whether the host has to wait for what the operator found."""
    if name in _WAITING:
        return True
    if name == "repeat_interleave":
        return kwargs.get("output_size") is None
    if name in ("index", "index_put", "_index_put_impl"):
        masked = any(isinstance(leaf, Tensor) and leaf.dtype == torch.bool for leaf in tree_leaves(args[1]))
        # A single number is written through a mask without asking how many places it has.
        return masked and not (name != "index" and args[2].numel() == 1)
    return False
