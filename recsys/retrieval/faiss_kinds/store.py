"""What the entries of an index have in common, of whatever kind it is.

Shape suffixes: B queries, D dimensions, C candidates, N entries.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from recsys.retrieval.faiss_kinds.gpu_copy import GpuCopy
from recsys.retrieval.faiss_kinds.wrapped_index import WrappedIndex
from recsys.retrieval.types import FloatArray, IntArray


class VectorStore(ABC):
    """The entries of an index of one kind.

    Args:
        index: the index.
        items: of its entries, shape [N]; -1 for one that is removed. Empty where the index numbers them by their items.

    Attributes:
        search_effort_name: what FAISS calls the effort of a search; None where there is none.
        num_lists: lists, which are trained; 0 where there are none.
    """

    search_effort_name: str | None = None
    num_lists = 0

    def __init__(self, index: WrappedIndex, items: IntArray) -> None:
        self._index = index
        self._items = items

    @property
    def dim(self) -> int:
        """D."""
        return self._index.dim

    @property
    def exact(self) -> bool:
        """Whether the best items are found for certain, with their exact scores."""
        return False

    @property
    @abstractmethod
    def search_effort(self) -> int:
        """The effort of a search for a few candidates."""

    @search_effort.setter
    @abstractmethod
    def search_effort(self, value: int) -> None: ...

    @property
    @abstractmethod
    def max_search_effort(self) -> int:
        """The effort of a search that looks at every entry."""

    @property
    def removed_share(self) -> float:
        """Share of the entries that are of removed items."""
        return 0.0

    def items(self) -> IntArray:
        """The items of the entries, shape [N]; -1 for one that is removed."""
        return self._items

    def train(self, vectors: FloatArray) -> None:
        """Learn from a sample (shape [N, D], float32), where the kind learns anything."""
        self._index.train(vectors)

    @abstractmethod
    def add(self, items: IntArray, vectors: FloatArray) -> None:
        """Add entries of new items, shapes [N] and [N, D] (float32)."""

    @abstractmethod
    def remove(self, items: IntArray) -> None:
        """Remove the entries of items; those that have none are passed over."""

    def rebuilt(self) -> VectorStore:
        """The same without entries of removed items; this one stays as it is."""
        return self

    @abstractmethod
    def search(self, queries: FloatArray, width: int, search_effort: int) -> tuple[IntArray, FloatArray]:
        """The ``width`` best items of each query, as far as a search of this effort finds them.

        Args:
            queries: shape [B, D], float32, finite.
            width: C, at most the number of entries.
            search_effort: from 1 to the largest.

        Returns:
            Items and scores, shapes [B, C], int64 and float32, in no certain order; -1 where none was found.
        """

    def write(self, path: Path) -> None:
        """Write all to a file."""
        self._index.write(self._items, path)

    def on_gpu(self, resources: Any) -> GpuCopy:
        """A copy on the first GPU.

        Raises:
            RetrievalError: FAISS cannot search this kind there, as it cannot a graph.
        """
        return GpuCopy(self._index, resources, self._items)
