"""How near the lists of PureSVD come to those of exact singular vectors: ``python benchmarks/svd_exactness.py``.

MovieLens 100K, the training part of the default split; prints the share of the ten best unseen items that both have.
"""

from __future__ import annotations

import time

import numpy as np
import torch

from recsys.cli.configuration import compose_config
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.truncated_svd import right_singular_vectors
from recsys.runs.assembly import build_data, build_model, build_split, build_view
from recsys.runs.starting import resolved

DIMENSIONS = (19, 64)
ITERATIONS = (6, 12, 24, 48, 96)


def main() -> None:
    """Print a line for each number of dimensions and iterations."""
    config = resolved(compose_config("train", ["model=pure_svd", "name=svd"]))
    prepared = build_data(config)
    view = build_view(config, prepared, build_model(config.model, config.seed, prepared))
    train = view.interactions.take(build_split(config, view.interactions).train)
    dense = np.zeros((train.num_users, train.num_items))
    dense[train.user_index, train.item_index] = 1
    matrix = InteractionMatrix.from_interactions(train, torch.device("cpu"))
    exact = np.linalg.svd(dense, full_matrices=False)[2].T
    for dim in DIMENSIONS:
        wanted = best_unseen(dense, exact[:, :dim])
        for iterations in ITERATIONS:
            begin = time.perf_counter()
            vectors = right_singular_vectors(matrix, dim, config.seed, iterations).numpy()
            seconds = time.perf_counter() - begin
            found = best_unseen(dense, vectors)
            shared = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(wanted, found, strict=True)])
            print(f"{dim} dimensions, {iterations} iterations: {shared:.1%} shared, {seconds:.2f} s")  # noqa: T201


def best_unseen(dense: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """The ten best unseen items of each user, shape [U, 10]."""
    scores = dense @ vectors @ vectors.T
    scores[dense > 0] = -np.inf
    return np.argsort(-scores, axis=1)[:, :10]


if __name__ == "__main__":
    main()
