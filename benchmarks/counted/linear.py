"""Counts the fits of linear models: rewritten matrices, matrices of items by items, waits for the device."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from counted.operators import CountOperators
from recsys.data.interactions import Interactions
from recsys.models.components.recency import Recency
from recsys.models.components.similarities import Cosine
from recsys.models.components.weightings import Unweighted
from recsys.models.ease import EASE
from recsys.models.ials import IALS
from recsys.models.item_knn import ItemKNN
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.least_squares import Cholesky
from recsys.models.linalg.positive_definite import SOLVERS


def sparse_interactions(num_users: int, num_items: int, count: int) -> Interactions:
    """Interactions of random users with random items, with seed 0; as many as asked, repeated ones included."""
    random = np.random.default_rng(0)
    users, items = (random.integers(size, size=count, dtype=np.int32) for size in (num_users, num_items))
    return Interactions(users, items, None, None, None, num_users, num_items)


def rewrites_of_item_knn() -> float:
    """How often fitting ItemKNN writes the whole matrix down in another layout, for a fit of several blocks."""
    data = sparse_interactions(20_000, 6_000, 60_000)
    model = ItemKNN(data.num_users, data.num_items, Cosine(), Unweighted(), Recency(), max_block_bytes=2**20)
    with _counted_rewrites() as rewritten:
        model.fit(data)
    return round(sum(rewritten) / len(data), 1)


@contextmanager
def _counted_rewrites() -> Iterator[list[int]]:
    """Stored values that are turned into coordinates, or into the rows of another library."""
    rewritten: list[int] = []

    def noting(method: Any) -> Any:
        def call(matrix: InteractionMatrix) -> Any:
            rewritten.append(len(matrix.columns))
            return method(matrix)

        return call

    rows = property(noting(InteractionMatrix.rows.fget))  # type: ignore[attr-defined]
    with mock.patch.multiple(
        InteractionMatrix, rows=rows, scipy=noting(InteractionMatrix.scipy), csr=noting(InteractionMatrix.csr)
    ):
        yield rewritten


def matrices_of_ease() -> float:
    """Matrices of items by items that are alive at once while EASE is fitted, its weights among them."""
    data = sparse_interactions(2_000, 1_000, 20_000)
    model = EASE(data.num_users, data.num_items, Recency())
    live = LiveBytes()
    with live:
        model.fit(data)
    matrix = 4 * data.num_items**2
    return round(1 + live.peak / matrix, 2)


class LiveBytes(TorchDispatchMode):
    """A context that knows how many bytes the tensors made in it take, and the most that they took.

    What libraries hold inside an operator is not seen.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = {id(storage) for storage in _storages((args, kwargs))}
        result = function(*args, **(kwargs or {}))
        for storage in _storages(result):
            if id(storage) not in given and id(storage) not in self._seen:
                self._seen.add(id(storage))
                self.now += storage.nbytes()
                self.peak = max(self.peak, self.now)
                weakref.finalize(storage, self._freed, id(storage), storage.nbytes())
        return result

    def _freed(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self.now -= size


def _storages(tree: Any) -> list[torch.UntypedStorage]:
    return [leaf.untyped_storage() for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def waits_of_ials(iterations: int = 3) -> float:
    """How often an iteration of iALS with exact solutions waits for the device, as a GPU solves them: in batches."""
    data = sparse_interactions(300, 200, 5_000)
    waits = []
    for count in (iterations, 2 * iterations):
        model = IALS(data.num_users, data.num_items, embedding_dim=8, iterations=count, solver=Cholesky())
        with mock.patch.dict(SOLVERS, clear=True), CountOperators() as counted:
            model.fit(data)
        waits.append(counted.count.synchronisations)
    return (waits[1] - waits[0]) / iterations
