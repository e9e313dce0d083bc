"""Trains an index of FAISS with a sample of the vectors and fills it. Shape suffixes: I items, D dimensions."""

from __future__ import annotations

import numpy as np

from recsys.errors import RetrievalError
from recsys.retrieval.faiss_kinds.opening import empty_index, store_of
from recsys.retrieval.faiss_kinds.store import VectorStore
from recsys.retrieval.types import FloatArray, IntArray

#: Vectors that are added at once.
BLOCK = 2**18


def filled_store(
    vectors: FloatArray,
    items: IntArray,
    factory: str,
    training_vectors: int | None,
    construction_effort: int,
    seed: int,
) -> VectorStore:
    """The entries of a new index.

    Args:
        vectors: of the catalogue, shape [I, D], float.
        items: those that are added, shape [N], int64, ascending; their vectors are free of NaN.
        factory: the factory string of FAISS.
        training_vectors: size of the sample; None: 64 for each list and at least 2**16.
        construction_effort: ``efConstruction`` of a graph.
        seed: of the sample and of the training.

    Raises:
        RetrievalError: FAISS is missing; the factory string is not one, or not of a kind that is known; or there are
            too few vectors to train it.
    """
    store = store_of(empty_index(factory, vectors.shape[1], construction_effort, seed), np.zeros(0, dtype=np.int64))
    size = max(2**16, 64 * store.num_lists) if training_vectors is None else training_vectors
    sample = items
    if len(items) > size:
        sample = np.sort(np.random.default_rng(seed).choice(items, size, replace=False))
    try:
        store.train(vectors[sample].astype(np.float32, copy=False))
    except RuntimeError as error:
        raise RetrievalError(
            f"{len(sample)} vectors are not enough to train an index {factory!r}: {error}. Choose a factory string "
            "with fewer lists or codes, or search exactly."
        ) from error
    for start in range(0, len(items), BLOCK):
        block = items[start : start + BLOCK]
        store.add(block, vectors[block].astype(np.float32, copy=False))
    return store
