"""An index of FAISS together with the rotations before it and the items of its entries.

Shape suffixes: B queries, D dimensions, C candidates, N entries.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from recsys.errors import RetrievalError
from recsys.retrieval.candidates import NO_ITEM
from recsys.retrieval.faiss_library import faiss_library
from recsys.retrieval.types import FloatArray, IntArray


class WrappedIndex:
    """An index of FAISS, which may begin with the items of its entries and with rotations.

    FAISS frees the parts of an index with the whole, and Python the whole alone: assigning a part of one to another
    loses it, so that all parts stay where FAISS put them.

    Args:
        whole: the index.

    Attributes:
        has_item_table: whether it says which item each entry is of; otherwise entries are numbered by their items.
    """

    def __init__(self, whole: Any) -> None:
        faiss = faiss_library()
        self.faiss = faiss
        self.whole = whole
        self.has_item_table: bool = isinstance(whole, faiss.IndexIDMap)
        self.outer = faiss.downcast_index(whole.index) if self.has_item_table else whole
        self.rotations: list[Any] = []
        self.inner = self.outer
        if isinstance(self.outer, faiss.IndexPreTransform):
            chain = self.outer.chain
            self.rotations = [faiss.downcast_VectorTransform(chain.at(place)) for place in range(chain.size())]
            self.inner = faiss.downcast_index(self.outer.index)

    @property
    def dim(self) -> int:
        """D."""
        return self.whole.d

    def rotates(self, transform: Any) -> bool:
        """Whether a transform is a rotation, and keeps inner products; read from a file, it is just linear."""
        faiss = self.faiss
        known = isinstance(transform, (faiss.OPQMatrix, faiss.RandomRotationMatrix))
        return known or (type(transform) is faiss.LinearTransform and not transform.have_bias)

    def rotated(self, vectors: FloatArray) -> FloatArray:
        """The vectors as the inner index has them."""
        for rotation in self.rotations:
            vectors = rotation.apply(np.ascontiguousarray(vectors))
        return np.ascontiguousarray(vectors)

    def train_rotations(self, vectors: FloatArray) -> FloatArray:
        """Learn the rotations from a sample; it, rotated."""
        for rotation in self.rotations:
            if not rotation.is_trained:
                rotation.train(np.ascontiguousarray(vectors))
            vectors = rotation.apply(np.ascontiguousarray(vectors))
        return np.ascontiguousarray(vectors)

    def train(self, vectors: FloatArray) -> None:
        """Learn all from a sample."""
        rotated = self.train_rotations(vectors)
        if not self.inner.is_trained:
            self.inner.train(rotated)
        self.outer.is_trained = self.whole.is_trained = True

    def counted(self) -> None:
        """Tell the outer indexes what was done to the inner one."""
        self.outer.ntotal = self.whole.ntotal = self.inner.ntotal

    def write(self, items: IntArray, path: Path) -> None:
        """Write the index, and the items of its entries where they are not numbered by them."""
        self.counted()
        if self.has_item_table:
            self.faiss.copy_array_to_vector(items, self.whole.id_map)
        self.faiss.write_index(self.whole, str(path))

    def inner_on_gpu(self, resources: Any) -> Any:
        """A copy of the inner index on the first GPU.

        Raises:
            RetrievalError: FAISS cannot search this kind there.
        """
        try:
            return self.faiss.index_cpu_to_gpu(resources, 0, self.inner)
        except RuntimeError as error:
            raise RetrievalError(
                f"FAISS cannot search this kind of index on a GPU: {reason_of(error)}. Choose Flat or lists (IVF)."
            ) from error


def items_of_entries(items: IntArray, entries: IntArray) -> IntArray:
    """The items of entries (shape [B, C], -1 for none)."""
    return np.where(entries >= 0, items[np.maximum(entries, 0)], NO_ITEM)


def reason_of(error: BaseException) -> str:
    """What FAISS says, without where in its source it says it."""
    return re.sub(r"^Error in .*? at \S+:\d+: ", "", str(error)).strip().rstrip(".")
