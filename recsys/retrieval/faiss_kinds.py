"""The kinds of index that FAISS has, made alike: how each is trained, searched, changed and written.

Shape suffixes: B queries, D dimensions, C candidates, N entries.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from recsys.errors import RetrievalError
from recsys.retrieval.candidates import NO_ITEM
from recsys.retrieval.faiss_library import faiss_library
from recsys.retrieval.types import BoolArray, FloatArray, IntArray

#: A graph that is to be searched for more than this share of its entries is left aside and all entries are compared:
#: following the graph compares with several neighbours of each, which lie apart in memory.
MAX_FOLLOWED = 1 / 16

#: ``efSearch`` of a graph, if nothing is said; FAISS's own 16 is meant for a handful of neighbours.
GRAPH_BREADTH = 128

#: The lists that are searched, if nothing is said: a part of all.
LIST_BREADTH = 1 / 16


class Searchable(Protocol):
    """What can be searched."""

    def search(self, queries: FloatArray, width: int, search_effort: int) -> tuple[IntArray, FloatArray]:
        """The ``width`` best items of each query, as far as a search of this breadth finds them.

        Args:
            queries: shape [B, D], float32, finite.
            width: C, at most the number of entries.
            search_effort: from 1 to the largest.

        Returns:
            Items and scores, shapes [B, C], int64 and float32, in no certain order; -1 where none was found.
        """
        ...


class Store(Searchable, Protocol):
    """The entries of an index of one kind."""

    @property
    def search_effort_name(self) -> str | None:
        """What FAISS calls the breadth of a search; None where there is none."""
        ...

    @property
    def search_effort(self) -> int:
        """How broadly is searched for a few candidates."""
        ...

    @search_effort.setter
    def search_effort(self, value: int) -> None: ...

    @property
    def dim(self) -> int:
        """D."""
        ...

    @property
    def exact(self) -> bool:
        """Whether the best items are found for certain, with their exact scores."""
        ...

    @property
    def num_lists(self) -> int:
        """Lists, which are trained; 0 where there are none."""
        ...

    @property
    def max_breadth(self) -> int:
        """The breadth of a search that looks at every entry."""
        ...

    @property
    def removed_share(self) -> float:
        """Share of the entries that are of removed items."""
        ...

    def items(self) -> IntArray:
        """The items of the entries, shape [N]; -1 for one that is removed."""
        ...

    def train(self, vectors: FloatArray) -> None:
        """Learn from a sample (shape [N, D], float32), where the kind learns anything."""
        ...

    def add(self, items: IntArray, vectors: FloatArray) -> None:
        """Add entries of new items, shapes [N] and [N, D] (float32)."""
        ...

    def remove(self, items: IntArray) -> None:
        """Remove the entries of items; those that have none are passed over."""
        ...

    def rebuilt(self) -> Store:
        """The same without entries of removed items; this one stays as it is."""
        ...

    def write(self, path: Path) -> None:
        """Write all to a file."""
        ...

    def on_gpu(self, resources: Any) -> Searchable:
        """A copy on the first GPU."""
        ...


class _Index:
    """An index of FAISS, which may begin with the items of its entries and with rotations.

    FAISS frees the parts of an index with the whole, and Python the whole alone: assigning a part of one to another
    loses it, so that all parts stay where FAISS put them.

    Args:
        whole: the index.
    """

    def __init__(self, whole: Any) -> None:
        faiss = faiss_library()
        self.faiss = faiss
        self.whole = whole
        named = isinstance(whole, faiss.IndexIDMap)
        self.outer = faiss.downcast_index(whole.index) if named else whole
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

    def write(self, items: IntArray | None, path: Path) -> None:
        """Write the index, and the items of its entries where they do not have their numbers."""
        self.counted()
        if items is not None:
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
                f"FAISS cannot search this kind of index on a GPU: {_said(error)}. Choose Flat or lists (IVF)."
            ) from error


class FlatStore:
    """Entries that a query is compared with one by one: ``Flat``, ``SQ8``, ``PQ16``, ...

    Args:
        index: the index.
        items: of its entries, shape [N].
    """

    search_effort_name = None
    search_effort = 1
    num_lists = 0
    max_breadth = 1
    removed_share = 0.0

    def __init__(self, index: _Index, items: IntArray) -> None:
        self._index = index
        self._items = items
        self.dim = index.dim
        self.exact: bool = isinstance(index.inner, index.faiss.IndexFlat) and not index.rotations

    def items(self) -> IntArray:
        """See :meth:`Store.items`."""
        return self._items

    def train(self, vectors: FloatArray) -> None:
        """See :meth:`Store.train`."""
        self._index.train(vectors)

    def add(self, items: IntArray, vectors: FloatArray) -> None:
        """See :meth:`Store.add`."""
        self._index.inner.add(self._index.rotated(vectors))
        self._items = np.concatenate([self._items, items])

    def remove(self, items: IntArray) -> None:
        """See :meth:`Store.remove`."""
        gone = np.flatnonzero(np.isin(self._items, items))
        if len(gone) > 0:
            self._index.inner.remove_ids(gone)  # the others move up, in their order
            self._items = np.delete(self._items, gone)

    def rebuilt(self) -> FlatStore:
        """See :meth:`Store.rebuilt`."""
        return self

    def search(self, queries: FloatArray, width: int, search_effort: int) -> tuple[IntArray, FloatArray]:
        """See :meth:`Searchable.search`."""
        scores, entries = self._index.inner.search(self._index.rotated(queries), width)
        return _named(self._items, entries), scores

    def write(self, path: Path) -> None:
        """See :meth:`Store.write`."""
        self._index.write(self._items, path)

    def on_gpu(self, resources: Any) -> Searchable:
        """See :meth:`Store.on_gpu`."""
        return _GpuCopy(self._index, resources, self._items)


class ListStore:
    """Entries in lists around centroids (IVF), whose numbers are the items themselves.

    FAISS asks one index of the centroids for both, the list of an entry and the lists of a query. By inner product long
    centroids would draw all entries to them, and FAISS makes all as long as one. Here an entry goes to the centroid
    that is nearest by Euclidean distance, and only a query asks by inner product.

    Args:
        index: the index.
    """

    search_effort_name = "nprobe"
    removed_share = 0.0
    exact = False

    def __init__(self, index: _Index) -> None:
        faiss, lists = index.faiss, index.inner
        self._index = index
        self.dim = index.dim
        self.num_lists: int = lists.nlist
        self.max_breadth: int = lists.nlist
        self._by_product = faiss.downcast_index(lists.quantizer)
        self._by_distance = faiss.IndexFlatL2(lists.d)
        if lists.is_trained:
            self._by_distance.add(self._by_product.reconstruct_n(0, self._by_product.ntotal))
        if not lists.is_trained:
            self.search_effort = max(1, int(LIST_BREADTH * self.num_lists))

    @property
    def search_effort(self) -> int:
        """See :class:`Store`."""
        return self._index.inner.nprobe

    @search_effort.setter
    def search_effort(self, value: int) -> None:
        self._index.inner.nprobe = value

    def items(self) -> IntArray:
        """See :meth:`Store.items`."""
        lists, view = self._index.inner.invlists, self._index.faiss.rev_swig_ptr
        sizes = [lists.list_size(number) for number in range(self.num_lists)]
        # an empty list may have no array
        parts = [view(lists.get_ids(number), size).copy() for number, size in enumerate(sizes) if size > 0]
        return np.concatenate([np.zeros(0, dtype=np.int64), *parts])

    def train(self, vectors: FloatArray) -> None:
        """See :meth:`Store.train`."""
        faiss, lists = self._index.faiss, self._index.inner
        rotated = self._index.train_rotations(vectors)
        clustering = faiss.Clustering(lists.d, lists.nlist, lists.cp)
        clustering.spherical = False
        clustering.train(rotated, self._by_distance)
        centroids = self._by_distance.reconstruct_n(0, lists.nlist)
        self._by_product.reset()
        self._by_product.add(centroids)
        size = max(1, lists.train_encoder_num_vectors())
        places = np.linspace(0, len(rotated) - 1, min(len(rotated), size)).astype(np.int64)
        sample = rotated[places]
        nearest = self._nearest(sample)
        learnt = np.ascontiguousarray(sample - centroids[nearest] if lists.by_residual else sample)
        lists.train_encoder(len(learnt), faiss.swig_ptr(learnt), faiss.swig_ptr(nearest))
        lists.is_trained = True
        self._index.train(vectors)  # which has only to note that all is trained

    def add(self, items: IntArray, vectors: FloatArray) -> None:
        """See :meth:`Store.add`."""
        faiss, lists = self._index.faiss, self._index.inner
        entries, numbers = self._index.rotated(vectors), np.ascontiguousarray(items, dtype=np.int64)
        if len(items) > 0:
            nearest = self._nearest(entries)
            lists.add_core(len(items), *map(faiss.swig_ptr, (entries, numbers, nearest)))

    def _nearest(self, vectors: FloatArray) -> IntArray:
        """The list of each of ``vectors`` (shape [N, D]), shape [N]."""
        return np.ascontiguousarray(self._by_distance.search(vectors, 1)[1][:, 0])

    def remove(self, items: IntArray) -> None:
        """See :meth:`Store.remove`."""
        self._index.inner.remove_ids(np.ascontiguousarray(items, dtype=np.int64))

    def rebuilt(self) -> ListStore:
        """See :meth:`Store.rebuilt`."""
        return self

    def search(self, queries: FloatArray, width: int, search_effort: int) -> tuple[IntArray, FloatArray]:
        """See :meth:`Searchable.search`."""
        parameters = self._index.faiss.SearchParametersIVF(nprobe=search_effort)
        scores, items = self._index.inner.search(self._index.rotated(queries), width, params=parameters)
        return items, scores

    def write(self, path: Path) -> None:
        """See :meth:`Store.write`."""
        self._index.write(None, path)

    def on_gpu(self, resources: Any) -> Searchable:
        """See :meth:`Store.on_gpu`."""
        return _GpuCopy(self._index, resources, None)


class GraphStore:
    """Entries in a graph of neighbours (HNSW). Those of removed items stay in it and lead to others.

    Args:
        index: the index.
        items: of its entries, shape [N]; -1 for one that is removed.
    """

    search_effort_name = "efSearch"
    num_lists = 0
    exact = False

    def __init__(self, index: _Index, items: IntArray) -> None:
        self._index = index
        self._storage = index.faiss.downcast_index(index.inner.storage)
        self.dim = index.dim
        self._set_items(items)
        if index.inner.ntotal == 0:
            self.search_effort = GRAPH_BREADTH

    @property
    def search_effort(self) -> int:
        """See :class:`Store`."""
        return self._index.inner.hnsw.efSearch

    @search_effort.setter
    def search_effort(self, value: int) -> None:
        self._index.inner.hnsw.efSearch = value

    @property
    def max_breadth(self) -> int:
        """See :class:`Store`."""
        return len(self._items)

    @property
    def removed_share(self) -> float:
        """See :class:`Store`."""
        return self._num_removed / max(1, len(self._items))

    def items(self) -> IntArray:
        """See :meth:`Store.items`."""
        return self._items

    def train(self, vectors: FloatArray) -> None:
        """See :meth:`Store.train`."""
        self._index.train(vectors)

    def add(self, items: IntArray, vectors: FloatArray) -> None:
        """See :meth:`Store.add`."""
        self._index.inner.add(self._index.rotated(vectors))
        self._set_items(np.concatenate([self._items, items]))

    def remove(self, items: IntArray) -> None:
        """See :meth:`Store.remove`."""
        self._set_items(np.where(np.isin(self._items, items), NO_ITEM, self._items))

    def rebuilt(self) -> GraphStore:
        """See :meth:`Store.rebuilt`."""
        self._index.counted()
        copy = _Index(self._index.faiss.clone_index(self._index.whole))
        copy.inner.reset()
        left = self._items >= 0
        copy.inner.add(self._storage.reconstruct_n(0, len(self._items))[left])
        built = GraphStore(copy, self._items[left])
        built.search_effort = self.search_effort
        return built

    def search(self, queries: FloatArray, width: int, search_effort: int) -> tuple[IntArray, FloatArray]:
        """See :meth:`Searchable.search`."""
        faiss, rotated = self._index.faiss, self._index.rotated(queries)
        left = faiss.IDSelectorBitmap(self._left) if self._num_removed else None
        search_effort = int(search_effort / (1 - self.removed_share))  # removed entries take their places in the search
        if max(width, search_effort) > MAX_FOLLOWED * len(self._items):
            scores, entries = self._storage.search(rotated, width, params=faiss.SearchParameters(sel=left))
        else:
            parameters = faiss.SearchParametersHNSW(efSearch=search_effort, sel=left)
            scores, entries = self._index.inner.search(rotated, width, params=parameters)
        return _named(self._items, entries), scores

    def write(self, path: Path) -> None:
        """See :meth:`Store.write`."""
        self._index.write(self._items, path)

    def on_gpu(self, resources: Any) -> Searchable:
        """See :meth:`Store.on_gpu`."""
        return _GpuCopy(self._index, resources, self._items)  # which FAISS refuses

    def _set_items(self, items: IntArray) -> None:
        left: BoolArray = items >= 0
        self._items = items
        self._num_removed = int(len(left) - left.sum())
        self._left = np.packbits(left, bitorder="little")


class _GpuCopy:
    """A copy of flat entries or lists on a GPU.

    Args:
        index: what is copied.
        resources: of FAISS on the GPU.
        items: of the entries, shape [N]; None where they are numbered by them.
    """

    def __init__(self, index: _Index, resources: Any, items: IntArray | None) -> None:
        self._index = index
        self._copy = index.inner_on_gpu(resources)
        self._items = items

    def search(self, queries: FloatArray, width: int, search_effort: int) -> tuple[IntArray, FloatArray]:
        """See :meth:`Searchable.search`."""
        parameters = self._index.faiss.SearchParametersIVF(nprobe=search_effort) if self._items is None else None
        scores, found = self._copy.search(self._index.rotated(queries), width, params=parameters)
        return (found if self._items is None else _named(self._items, found)), scores


def assembled(factory: str, dim: int, construction_breadth: int, seed: int) -> Any:
    """An empty index of FAISS by inner product.

    Args:
        factory: the factory string.
        dim: D.
        construction_breadth: ``efConstruction`` of a graph.
        seed: of the training.

    Raises:
        RetrievalError: the factory string is not one for ``dim`` dimensions.
    """
    faiss = faiss_library()
    try:
        index = faiss.index_factory(dim, factory, faiss.METRIC_INNER_PRODUCT)
        if not isinstance(_Index(index).inner, faiss.IndexIVF):  # which numbers its entries by itself
            index = faiss.index_factory(dim, f"IDMap,{factory}", faiss.METRIC_INNER_PRODUCT)
    except RuntimeError as error:
        raise RetrievalError(
            f"A factory string of FAISS for vectors of {dim} dimensions is required, such as Flat, 'IVF1024,Flat' or "
            f"HNSW32, but {factory!r} is not one: {_said(error)}."
        ) from error
    inner = _Index(index).inner
    if isinstance(inner, faiss.IndexHNSW):
        inner.hnsw.efConstruction = construction_breadth
    for trained in (inner, getattr(inner, "pq", inner)):
        if hasattr(trained, "cp"):  # the settings of a clustering
            trained.cp.seed = seed % 2**31
    return index


def store_of(index: Any, items: IntArray) -> Store:
    """The entries of an index of FAISS, to be called once for an index.

    Args:
        index: the index.
        items: of its entries, shape [N]; -1 for one that is removed.

    Raises:
        RetrievalError: it is of a kind that is not known here.
    """
    made = _Index(index)
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


def opened(path: Path) -> Store:
    """Read an index.

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
        raise RetrievalError(damaged + f"FAISS says: {_said(error)}.") from error
    named = isinstance(index, faiss.IndexIDMap)
    store = store_of(index, faiss.vector_to_array(index.id_map) if named else np.zeros(0, dtype=np.int64))
    if named == isinstance(store, ListStore):
        raise RetrievalError(damaged + "It does not say which items its entries are of.")
    items = store.items()
    there = items[items >= 0]
    if len(items) != index.ntotal or items.min(initial=0) < NO_ITEM or len(np.unique(there)) != len(there):
        raise RetrievalError(damaged + "Its items are not distinct, or not as many as it has entries.")
    return store


def _named(items: IntArray, entries: IntArray) -> IntArray:
    """The items of entries (shape [B, C], -1 for none)."""
    return np.where(entries >= 0, items[np.maximum(entries, 0)], NO_ITEM)


def _said(error: BaseException) -> str:
    """What FAISS says, without where in its source it says it."""
    return re.sub(r"^Error in .*? at \S+:\d+: ", "", str(error)).strip().rstrip(".")
