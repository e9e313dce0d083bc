"""Where ONNX Runtime computes: its execution providers, such as CUDA or the processor."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from recsys.errors import BundleError

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"


def open_session(onnxruntime: ModuleType, path: str, options: Any, providers: Sequence[str] | None) -> Any:
    """A session that computes with the first of ``providers`` that does an operation.

    ONNX Runtime may offer CUDA where its libraries or a GPU are missing; it then computes on the processor and only
    says so in its log. So what it really uses is looked at where a provider was asked for.

    Args:
        onnxruntime: the module.
        path: of the model.
        options: of the session.
        providers: names of ONNX Runtime, the preferred first. None: CUDA where ONNX Runtime offers it and it works,
            else the processor.

    Raises:
        BundleError: a provider that was asked for is not there, or does not work.
    """
    available = onnxruntime.get_available_providers()
    if providers is None:
        preferred = [name for name in (CUDA, CPU) if name in available]
        return onnxruntime.InferenceSession(path, options, providers=preferred)
    if not providers:
        raise BundleError(
            f"One or more execution providers are required, of {', '.join(available)}, but none is given."
        )
    _require(providers, available, "offers")
    session = onnxruntime.InferenceSession(path, options, providers=list(providers))
    _require(providers, session.get_providers(), "can use")
    return session


def _require(required: Sequence[str], there: Sequence[str], verb: str) -> None:
    missing = [name for name in required if name not in there]
    if missing:
        raise BundleError(
            f"The execution provider {', '.join(missing)} is required, but ONNX Runtime {verb} only "
            f"{', '.join(there)} here. Install the package of ONNX Runtime that has it (onnxruntime-gpu for CUDA) and "
            "what it needs, or choose another provider."
        )
