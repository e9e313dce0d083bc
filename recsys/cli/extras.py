"""The extras of the distribution: which one brings a library that is missing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: The extra that installs a module which the core does without.
EXTRAS: Mapping[str, str] = MappingProxyType(
    {
        "faiss": "serving",
        "onnx": "serving",
        "onnxruntime": "serving",
        "onnxscript": "serving",
        "onnx_ir": "serving",
        "tritonclient": "serving",
        "optuna": "tune",
        "sentence_transformers": "text",
        "streamlit": "app",
    }
)


def missing_library(error: ImportError) -> str | None:
    """What to install, where ``error`` is about a library of an extra; None where it is not.

    Args:
        error: what an import has raised.
    """
    module = (error.name or "").partition(".")[0]
    extra = EXTRAS.get(module) if isinstance(error, ModuleNotFoundError) else None
    if extra is None:
        return None
    return f"This needs the library {module}, which is not installed: pip install 'recsys-framework[{extra}]'."
