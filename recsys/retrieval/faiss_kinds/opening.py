"""Makes and reads the indexes of FAISS that are known here. Shape suffixes: D dimensions, N entries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from recsys.errors import RetrievalError
from recsys.retrieval.candidates import NO_ITEM
from recsys.retrieval.faiss_kinds.flat import FlatStore
from recsys.retrieval.faiss_kinds.graph import GraphStore
from recsys.retrieval.faiss_kinds.lists import ListStore
from recsys.retrieval.faiss_kinds.store import VectorStore
from recsys.retrieval.faiss_kinds.wrapped_index import WrappedIndex, reason_of
from recsys.retrieval.faiss_library import faiss_library
from recsys.retrieval.types import IntArray


def empty_index(factory: str, dim: int, construction_effort: int, seed: int) -> Any:
    """An empty index of FAISS by inner product.

    Args:
        factory: the factory string.
        dim: D.
        construction_effort: ``efConstruction`` of a graph.
        seed: of the training.

    Raises:
        RetrievalError: the factory string is not one for ``dim`` dimensions.
    """
    faiss = faiss_library()
    try:
        index = faiss.index_factory(dim, factory, faiss.METRIC_INNER_PRODUCT)
        if not isinstance(WrappedIndex(index).inner, faiss.IndexIVF):  # which numbers its entries by itself
            index = faiss.index_factory(dim, f"IDMap,{factory}", faiss.METRIC_INNER_PRODUCT)
    except RuntimeError as error:
        raise RetrievalError(
            f"A factory string of FAISS for vectors of {dim} dimensions is required, such as Flat, 'IVF1024,Flat' or "
            f"HNSW32, but {factory!r} is not one: {reason_of(error)}."
        ) from error
    inner = WrappedIndex(index).inner
    if isinstance(inner, faiss.IndexHNSW):
        inner.hnsw.efConstruction = construction_effort
    for trained in (inner, getattr(inner, "pq", inner)):
        if hasattr(trained, "cp"):  # the settings of a clustering
            trained.cp.seed = seed % 2**31
    return index


def store_of(index: Any, items: IntArray) -> VectorStore:
    """The entries of an index of FAISS, to be called once for an index.

    Args:
        index: the index.
        items: of its entries, shape [N]; -1 for one that is removed.

    Raises:
        RetrievalError: it is of a kind that is not known here.
    """
    made = WrappedIndex(index)
    faiss, inner = made.faiss, made.inner
    if not all(made.rotates(part) for part in made.rotations):
        raise RetrievalError(
            "Of what comes before an index only rotations (OPQ, RR) are known, since others change the order of inner "
            "products. Leave it out of the factory string."
        )
    if any(part.metric_type != faiss.METRIC_INNER_PRODUCT for part in (made.whole, made.outer, inner)):
        raise RetrievalError("An index by inner product is required, but this one is by distance. Choose another kind.")
    if isinstance(inner, faiss.IndexIVF):
        if not isinstance(faiss.downcast_index(inner.quantizer), faiss.IndexFlat):
            raise RetrievalError(
                "Centroids that are compared one by one are required, since only so all lists can be searched, but "
                f"this index has its centroids in an {type(faiss.downcast_index(inner.quantizer)).__name__}. Choose "
                f"'IVF{inner.nlist},...'."
            )
        if isinstance(inner, faiss.IndexIVFFastScan):
            raise RetrievalError(
                "Codes that are compared one by one are required, since a scan in blocks (fs) loses some of equal "
                "scores, so that not all items can be found. Leave fs out of the factory string."
            )
        return ListStore(made)
    if isinstance(inner, faiss.IndexHNSW):
        return GraphStore(made, items)
    if isinstance(inner, faiss.IndexFlatCodes):
        return FlatStore(made, items)
    raise RetrievalError(
        f"Of FAISS's indexes Flat, SQ, PQ, IVF and HNSW are known, but this is one of the kind "
        f"{type(inner).__name__}. Choose one of them; rescore scores candidates anew."
    )


def read_store(path: Path) -> VectorStore:
    """Read an index from a file.

    Raises:
        RetrievalError: the file is not there, is damaged, or has an index of a kind that is not known here.
    """
    faiss = faiss_library()
    if not path.is_file():
        raise RetrievalError(f"A file with an index is required, but {path} is none. Build the index and save it.")
    damaged = f"{path} is no index of FAISS, or a damaged one. Build it again, or copy it again. "
    try:
        index = faiss.read_index(str(path))
    except (RuntimeError, MemoryError) as error:
        raise RetrievalError(damaged + f"FAISS says: {reason_of(error)}.") from error
    named = isinstance(index, faiss.IndexIDMap)
    store = store_of(index, faiss.vector_to_array(index.id_map) if named else np.zeros(0, dtype=np.int64))
    if named == isinstance(store, ListStore):
        raise RetrievalError(damaged + "It does not say which items its entries are of.")
    items = store.items()
    there = items[items >= 0]
    if len(items) != index.ntotal or items.min(initial=0) < NO_ITEM or len(np.unique(there)) != len(there):
        raise RetrievalError(damaged + "Its items are not distinct, or not as many as it has entries.")
    return store
