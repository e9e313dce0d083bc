"""Item vectors on disk, in full or in fewer bytes.

Shape suffixes: I items, D dimensions.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recsys.errors import ExportError
from recsys.retrieval.types import FloatArray

VECTORS = "item_vectors.npy"
SCALES = "item_scales.npy"
STORAGES = ("float32", "float16", "int8")


def write_vectors(vectors: FloatArray, directory: Path, storage: str) -> None:
    """Write vectors, shape [I, D].

    ``int8`` keeps each vector as whole numbers from -127 to 127 and a factor of its own; an item without a vector (NaN)
    has the factor NaN.

    Args:
        vectors: NaN for an item without one.
        directory: where the files go.
        storage: one of :data:`STORAGES`.

    Raises:
        ExportError: numbers are too large for it.
    """
    if storage == "int8":
        scales = np.abs(vectors).max(axis=1, initial=0) / 127
        whole = np.rint(vectors / np.where(scales > 0, scales, 1)[:, None])
        np.save(directory / VECTORS, np.nan_to_num(whole).astype(np.int8), allow_pickle=False)
        np.save(directory / SCALES, scales.astype(np.float32), allow_pickle=False)
        return
    if storage == "float16" and np.nanmax(np.abs(vectors), initial=0) > np.finfo(np.float16).max:
        raise ExportError("The item vectors have numbers that float16 does not hold. Use storage=float32 or int8.")
    np.save(directory / VECTORS, vectors.astype(storage), allow_pickle=False)


def read_vectors(directory: Path) -> FloatArray:
    """Read what :func:`write_vectors` wrote, shape [I, D], float32."""
    stored = np.load(directory / VECTORS, allow_pickle=False)
    if (directory / SCALES).is_file():
        scales = np.load(directory / SCALES, allow_pickle=False)
        scaled: FloatArray = stored * scales[:, None]
        return scaled
    vectors: FloatArray = stored.astype(np.float32, copy=False)
    return vectors
