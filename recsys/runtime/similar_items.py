"""The items that are most like one, from the tables of a bundle; items that were added since by their vectors.

Shape suffixes: I items of the catalogue, D dimensions, K items asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import get_args

import numpy as np

from recsys.errors import RequestError
from recsys.retrieval.top_k import top_k
from recsys.retrieval.types import FloatArray, IntArray
from recsys.runtime.bundle import Bundle
from recsys.runtime.catalogue import Catalogue
from recsys.runtime.neighbours import NeighbourTable
from recsys.runtime.recommendation import SimilarItems, SimilarityKind
from recsys.runtime.request_resolution import RequestResolver

#: The measure of items that are compared by their vectors.
COSINE = "cosine of vectors"

#: Similarities closer than this are equal, and the lower index comes first.
TIE = 1e-6


class SimilarItemFinder:
    """Finds similar items among those that are there.

    Args:
        bundle: has the tables.
        resolver: knows the ids.
        catalogue: says which items are there, and has the vectors of new ones.
    """

    def __init__(self, bundle: Bundle, resolver: RequestResolver, catalogue: Catalogue) -> None:
        self._bundle = bundle
        self._resolver = resolver
        self._catalogue = catalogue
        self._table = lru_cache(2)(bundle.neighbours)

    def find(self, item_ids: Sequence[str], k: int, by: SimilarityKind = "model") -> list[SimilarItems]:
        """The ``k`` items most like each of ``item_ids``.

        Raises:
            RequestError: an item does not exist, there is no such kind of similarity, or ``k`` is not positive.
        """
        check_similar_request(k, by)
        return [self._of(item_id, item, k, by) for item_id, item in zip(item_ids, self._items(item_ids), strict=True)]

    def _items(self, item_ids: Sequence[str]) -> list[int]:
        items: list[int] = self._resolver.items_of(item_ids).tolist()
        for item_id, item in zip(item_ids, items, strict=True):
            if item < 0:
                raise unknown_item(item_id, self._bundle.manifest.data.name)
        return items

    def _of(self, item_id: str, item: int, k: int, by: SimilarityKind) -> SimilarItems:
        table, measure = self._table(by), self._bundle.manifest.neighbours.get(by)
        if table is None or measure is None:
            return nothing_measures(item_id, by)
        known = self._bundle.knowledge[0].items
        if by == "model" and item < len(known) and not known[item]:
            return nothing_learnt(item_id)
        added = len(self._catalogue.added_vectors)
        if by == "model" and added and measure == COSINE:
            found, similarities = self._by_vectors(item, k)
        elif item < self._bundle.manifest.data.num_items:
            found, similarities = self._by_table(table, item, k)
        else:
            return SimilarItems(item_id, [], [], f"an item that was added since has no {measure}")
        return SimilarItems(item_id, self._resolver.ids_of(found), similarities.tolist(), measure)

    def _by_table(self, table: NeighbourTable, item: int, k: int) -> tuple[IntArray, FloatArray]:
        neighbours, weights = table.of(item)
        there = np.flatnonzero(self._catalogue.state.available[neighbours])[:k]
        return neighbours[there], weights[there]

    def _by_vectors(self, item: int, k: int) -> tuple[IntArray, FloatArray]:
        """By the cosine with all vectors, shape [I, D]."""
        vectors = np.concatenate([self._bundle.item_vectors(), self._catalogue.added_vectors])
        lengths = np.linalg.norm(vectors, axis=1)
        cosines = vectors @ vectors[item] / np.maximum(lengths * lengths[item], np.finfo(np.float32).tiny)
        known = self._bundle.knowledge[0].items
        cosines[: len(known)][~known] = -np.inf
        cosines[~self._catalogue.state.available[: len(cosines)]] = -np.inf
        cosines[item] = -np.inf
        rounded = np.round(cosines / TIE)
        best = top_k(np.where(rounded > 0, rounded, -np.inf)[None], k)
        items = best.items[0][best.items[0] >= 0]
        return items, cosines[items]


def check_similar_request(k: object, by: object) -> None:
    """Require a positive ``k`` and a known kind of similarity.

    Raises:
        RequestError: they are not.
    """
    if not isinstance(k, int) or isinstance(k, bool) or k < 1:
        raise RequestError(f"k must be a whole number of at least 1, but it is {k!r}.")
    if by not in get_args(SimilarityKind):
        raise RequestError(f"by must be {' or '.join(get_args(SimilarityKind))}, but it is {by!r}.")


def unknown_item(item_id: str, data_name: str, near: Sequence[str] = ()) -> RequestError:
    """The error of an item that does not exist; ``near`` are ids that look like it."""
    hint = f" Nearest: {', '.join(map(repr, near))}." if near else ""
    return RequestError(
        f"There is no item {item_id!r} in {data_name}.{hint} Ids are compared as text, leading zeros included."
    )


def nothing_learnt(item_id: str) -> SimilarItems:
    """No similar items of one that was not in training, and that the model does not know by its content."""
    return SimilarItems(item_id, [], [], "no interactions of it in training")


def nothing_measures(item_id: str, by: SimilarityKind) -> SimilarItems:
    """No similar items, and why."""
    reason = "no item has features with words" if by == "content" else "the model does not say how alike two items are"
    return SimilarItems(item_id, [], [], reason)
