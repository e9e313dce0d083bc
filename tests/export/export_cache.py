"""Exports to ONNX that are not repeated: tracing a module takes seconds, and many tests export the same one.

What ``torch.onnx.export`` has made of a module is kept for the test run, under a hash of all that it is made of: the
module's tensors and attributes, the byte code of its classes, the examples and the options. A module of which no
hash can be made, such as one of a class inside a test, is exported anew. Our own code around the export runs each time.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import torch
from filelock import FileLock
from onnxscript import ir
from torch import Tensor, nn

from tests.shared_directory import shared_directory

Export = Callable[..., torch.onnx.ONNXProgram | None]


class _Contents(pickle.Pickler):
    """Writes tensors as their values and modules as their attributes, so that equal ones give equal bytes."""

    def reducer_override(self, given: Any) -> Any:
        if isinstance(given, Tensor):
            values = given.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
            return bytes, (repr((type(given).__name__, given.dtype, tuple(given.shape))).encode() + values,)
        if isinstance(given, nn.Module):
            attributes = {name: sorted(it) if isinstance(it, set) else it for name, it in vars(given).items()}
            return dict, ({"class": repr(type(given)), **attributes},)
        return NotImplemented


def content_hash(module: nn.Module, *of_call: object) -> str | None:
    """A hash of a module and of how it is exported; None where not all of it can be written down."""
    kinds = {kind for part in module.modules() for kind in type(part).__mro__}
    if any("<locals>" in kind.__qualname__ for kind in kinds):  # it may use what is around it
        return None
    code = sorted((repr(kind), _code_of(kind)) for kind in kinds if kind.__module__.startswith(("recsys", "tests")))
    stream = io.BytesIO()
    try:
        _Contents(stream).dump((module, code, of_call))
    except (pickle.PicklingError, AttributeError, TypeError):
        return None
    return hashlib.sha256(stream.getvalue()).hexdigest()


def _code_of(kind: type) -> list[str]:
    """What the functions of a class do, those that a test has put in their place included."""
    functions = [value for value in vars(kind).values() if isinstance(value, FunctionType)]
    return [text for function in functions for text in _text_of(function.__code__)]


def _text_of(code: CodeType) -> list[str]:
    inner = [text for constant in code.co_consts if isinstance(constant, CodeType) for text in _text_of(constant)]
    constants = [repr(constant) for constant in code.co_consts if not isinstance(constant, CodeType)]
    return [code.co_code.hex(), repr(code.co_names), *constants, *inner]


def cached(export: Export, directory: Path) -> Export:
    """``torch.onnx.export`` that takes from ``directory`` what it has exported before."""

    def export_once(module: nn.Module, examples: Any, **options: Any) -> torch.onnx.ONNXProgram | None:
        key = content_hash(module, examples, repr(options))
        if key is None:
            return export(module, examples, **options)
        path = directory / f"{key}.onnx"
        with FileLock(f"{path}.lock"):
            if not path.exists():
                program = export(module, examples, **options)
                assert program is not None
                partial = path.with_suffix(".partial")
                program.save(str(partial), include_initializers=True, external_data=False)
                partial.rename(path)
                return program
        return torch.onnx.ONNXProgram(ir.load(path), None)

    return export_once


def install() -> None:
    """Export once from now on, in this process and in the others of the test run."""
    torch.onnx.export = cached(torch.onnx.export, shared_directory("exports"))  # type: ignore[assignment]
