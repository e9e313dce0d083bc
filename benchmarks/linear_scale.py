"""Linear models on large data: seconds and memory of fitting ItemKNN and EASE, and how exact single precision is.

::

    python benchmarks/linear_scale.py item_knn                   # 100,000 items, 20 million interactions
    python benchmarks/linear_scale.py ease                       # 26,744 items, 20 million interactions
    python benchmarks/linear_scale.py ease --columns 8           # and eight columns beside double precision
    PYTHONPATH=OTHER python benchmarks/linear_scale.py item_knn --share 0.02  # another checkout, a part of the items

Each call is one process and prints one line of JSON, so that its peak memory is its own. The interactions are
synthetic: how many a user has is log-normal, and items are drawn by a power law. Repeated pairs count once.
``data_gib`` is what the process holds before the fit, ``peak_gib`` the most it held until the end of it. With
``--share`` ItemKNN stops after this share of the items: ``whole_seconds`` are the processor's for all of them if the
rest takes as long.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from recsys.data.interactions import Interactions
from recsys.models import item_knn as item_knn_module
from recsys.models.components.recency import Recency
from recsys.models.components.similarities import Cosine
from recsys.models.components.weightings import Unweighted
from recsys.models.ease import EASE
from recsys.models.item_knn import ItemKNN
from recsys.models.linalg.interaction_matrix import InteractionMatrix


@dataclass(frozen=True, slots=True)
class Size:
    """Users, items and interactions."""

    users: int
    items: int
    interactions: int


def synthetic(size: Size) -> Interactions:
    """Interactions with skewed activity and popularity, with seed 0."""
    random = np.random.default_rng(0)
    activity = random.lognormal(0, 1, size.users)
    counts = random.multinomial(size.interactions, activity / activity.sum())
    popularity = np.arange(1, size.items + 1) ** -0.8
    places = random.permutation(size.items).astype(np.int32)  # an item's number does not tell how popular it is
    drawn = np.searchsorted(np.cumsum(popularity / popularity.sum()), random.random(size.interactions, np.float32))
    items = places[drawn.clip(max=size.items - 1)]
    users = np.repeat(np.arange(size.users, dtype=np.int32), counts)
    return Interactions(users, items, None, None, None, size.users, size.items)


def peak_gib() -> float:
    """Peak resident memory of this process so far, GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def fitted(model: Any, data: Interactions) -> dict[str, Any]:
    """What fitting ``model`` takes."""
    report: dict[str, Any] = {"data_gib": round(peak_gib(), 2)}
    wall, processor = time.perf_counter(), time.process_time()
    model.fit(data)
    report["processor_seconds"] = round(time.process_time() - processor, 1)
    report["wall_seconds"] = round(time.perf_counter() - wall, 1)
    return report | {"peak_gib": round(peak_gib(), 2)}


@dataclass
class Part:
    """Blocks of products until there is a share of all rows; knows when the first of them was there."""

    products: Callable[..., Iterator[tuple[int, Tensor]]]
    share: float
    first: float = 0.0

    def __call__(self, matrix: InteractionMatrix, *arguments: Any, **options: Any) -> Iterator[tuple[int, Tensor]]:
        """Iterate over blocks."""
        for start, block in self.products(matrix, *arguments, **options):
            self.first = self.first or time.process_time()
            yield start, block
            if start + len(block) >= self.share * len(matrix):
                return


def item_knn(size: Size, arguments: argparse.Namespace) -> dict[str, Any]:
    """Fit ItemKNN; ``checksum`` tells whether two checkouts found the same neighbours."""
    data = synthetic(size)
    model = ItemKNN(size.users, size.items, Cosine(10.0), Unweighted(), Recency(), num_neighbours=100)
    part = Part(item_knn_module.row_products, arguments.share)
    item_knn_module.row_products = part  # type: ignore[assignment]
    begun = time.process_time()
    report = fitted(model, data)
    before, blocks = part.first - begun, report["processor_seconds"] - (part.first - begun)
    report["whole_seconds"] = round(before + blocks / arguments.share, 1)
    kept = model.weights.matrix
    total = float(kept.values.double().sum())
    return report | {"neighbours": len(kept.values), "checksum": round(total, 1)}


def ease(size: Size, arguments: argparse.Namespace, l2: float = 500.0) -> dict[str, Any]:
    """Fit EASE, and compare some columns of its weights with double precision."""
    data = synthetic(size)
    model = EASE(size.users, size.items, Recency(), l2=l2)
    report = fitted(model, data)
    report["matrix_gib"] = round(4 * size.items**2 / 2**30, 2)
    if arguments.columns:
        print(json.dumps(report), file=sys.stderr, flush=True)  # what is still to come takes a while
        weights = model.weights.weights.numpy()
        columns = np.linspace(0, size.items - 1, arguments.columns).astype(int)
        exact = double_columns(data, weights, columns, l2)
        report["largest_weight"] = round(float(np.abs(exact).max()), 4)
        report["largest_error"] = float(np.abs(weights[:, columns] - exact).max())
        report["relative_error"] = float(np.linalg.norm(weights[:, columns] - exact) / np.linalg.norm(exact))
    return report


def double_columns(data: Interactions, weights: Any, columns: Any, l2: float) -> Any:
    """Columns of the weights in double precision, without a matrix of items by items.

    Each is a column of the inverse of ``X^T X + l2``, which conjugate gradients find from the sparse ``X``, started at
    the weights in single precision, to a residual of 1e-12.

    Args:
        data: the interactions.
        weights: those of EASE, shape [I, I], float32.
        columns: which are wanted, shape [C].
        l2: regularisation.
    """
    ones = np.ones(len(data), dtype=np.float64)
    rated = sparse.csr_array((ones, (data.user_index, data.item_index)), shape=(data.num_users, data.num_items))
    rated.data[:] = 1.0  # a repeated pair counts once
    by_item = rated.T.tocsr()
    diagonal = (by_item.sum(axis=1) + l2)[:, None]
    unit = np.zeros((data.num_items, len(columns)))
    unit[columns, np.arange(len(columns))] = 1.0
    start = unit - weights[:, columns]

    def system(vectors: Any) -> Any:
        return by_item @ (rated @ vectors) + l2 * vectors

    start /= np.take_along_axis(system(start), columns[None], axis=0)
    inverse = conjugate_gradients(system, diagonal, unit, start)
    exact = -inverse / np.take_along_axis(inverse, columns[None], axis=0)
    exact[columns, np.arange(len(columns))] = 0.0
    return exact


def conjugate_gradients(system: Callable[[Any], Any], diagonal: Any, right: Any, solution: Any) -> Any:
    """Solve ``system(x) = right`` for each column, from ``solution`` on, with ``diagonal`` as preconditioner."""
    residual = right - system(solution)
    scaled = residual / diagonal
    direction, closeness = scaled.copy(), (residual * scaled).sum(0)
    for _ in range(2000):
        image = system(direction)
        step = closeness / np.maximum((direction * image).sum(0), 1e-300)
        solution = solution + step * direction
        residual = residual - step * image
        if np.abs(residual).max() < 1e-12:
            return solution
        scaled = residual / diagonal
        before, closeness = closeness, (residual * scaled).sum(0)
        direction = scaled + closeness / np.maximum(before, 1e-300) * direction
    raise SystemExit("Conjugate gradients have not converged in 2,000 steps; raise l2.")


MEASURED: dict[str, tuple[Callable[[Size, argparse.Namespace], dict[str, Any]], Size]] = {
    "item_knn": (item_knn, Size(200_000, 100_000, 20_000_000)),
    "ease": (ease, Size(138_493, 26_744, 20_000_000)),
}


def main() -> None:
    """Measure one model and print a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=MEASURED)
    parser.add_argument("--size", type=int, nargs=3, metavar=("USERS", "ITEMS", "INTERACTIONS"))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--columns", type=int, default=0, help="columns of EASE to compare with double precision")
    parser.add_argument("--share", type=float, default=1.0, help="share of the items that ItemKNN is fitted for")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    measure, default = MEASURED[arguments.model]
    size = Size(*arguments.size) if arguments.size else default
    print(json.dumps({"model": arguments.model, "threads": arguments.threads} | measure(size, arguments)))


if __name__ == "__main__":
    main()
