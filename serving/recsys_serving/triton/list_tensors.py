"""Lists of items as tensors of Triton. Shape suffixes: B requests, C candidates, K the longest list."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.retrieval.candidates import Candidates
from recsys.retrieval.types import IntArray
from recsys.runtime.bundle import Bundle


class ListWriter:
    """Turns candidates into lists of ids.

    Args:
        bundle: whose item vocabulary it is.
    """

    def __init__(self, bundle: Bundle) -> None:
        ids = bundle.item_vocabulary.ids.to_pylist()
        # One more than there are items: -1 is the last one, an empty id.
        self._ids = np.array([*(name.encode("utf-8") for name in ids), b""], dtype=np.object_)

    def __call__(self, candidates: Candidates, k: IntArray) -> dict[str, npt.NDArray[Any]]:
        """The first of the candidates of each row, as wide as the longest list.

        Args:
            candidates: of B requests, best first.
            k: the longest that each list may be, shape [B], int64.

        Returns:
            ``item_ids``, shape [B, K], bytes of UTF-8, empty where a list has ended; ``scores``, shape [B, K], float32,
            minus infinity there.
        """
        lengths = np.minimum(candidates.counts, k)
        width = int(lengths.max(initial=0))
        there = np.arange(width) < lengths[:, None]
        items = np.where(there, candidates.items[:, :width], -1)
        scores = np.where(there, candidates.scores[:, :width], -np.inf)
        return {"item_ids": self._ids[items], "scores": scores.astype(np.float32)}
