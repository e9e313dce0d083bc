"""FAISS, which is an extra: imported where it is needed, with a message where it is missing."""

from __future__ import annotations

import importlib
from typing import Any

from recsys.errors import RetrievalError


def faiss_library() -> Any:
    """The module ``faiss``.

    Raises:
        RetrievalError: it is not installed.
    """
    try:
        return importlib.import_module("faiss")
    except ImportError as error:
        raise RetrievalError(
            "FAISS is required for an index that is not exact, but it cannot be imported "
            f"({error}). Install it: pip install 'recsys-framework[serving]'."
        ) from error


def faiss_gpu_resources() -> Any:
    """What FAISS needs to work on the first GPU.

    Raises:
        RetrievalError: FAISS is not installed, was built without GPUs, or finds none.
    """
    faiss = faiss_library()
    # a build for CPUs lacks the resources, and counts no GPUs
    if not hasattr(faiss, "StandardGpuResources") or faiss.get_num_gpus() < 1:
        raise RetrievalError(
            "A GPU and a FAISS that was built for it are required to search on a GPU, but "
            f"{faiss.get_num_gpus() if hasattr(faiss, 'get_num_gpus') else 0} GPUs were found. Install it in the "
            "place of faiss-cpu: pip install 'recsys-framework[gpu]'; or search on the CPU."
        )
    return faiss.StandardGpuResources()
