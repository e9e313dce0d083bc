"""Smaller numbers inside ONNX models: less memory, at a cost that is measured."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx

PRECISIONS = ("float32", "float16", "int8")


def reduce_precision(path: Path, precision: str) -> None:
    """Rewrite an ONNX model in place; its inputs and its output stay as they are.

    ``float16`` keeps all numbers in half precision; ``int8`` keeps the tables that are looked up and the matrices that
    are multiplied as whole numbers with a factor, and multiplies in whole numbers.

    Args:
        path: of the file.
        precision: one of :data:`PRECISIONS`.
    """
    if precision == "float16":
        from onnxruntime.transformers.float16 import convert_float_to_float16

        with _quiet():
            onnx.save(convert_float_to_float16(onnx.load(path), keep_io_types=True), path)
    elif precision == "int8":
        from onnxruntime.quantization import QuantType, quantize_dynamic

        with _quiet():
            quantize_dynamic(path, path, weight_type=QuantType.QInt8, extra_options={"MatMulConstBOnly": True})


@contextmanager
def _quiet() -> Iterator[None]:
    """Without advice on how else it might be done."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        root.setLevel(level)
