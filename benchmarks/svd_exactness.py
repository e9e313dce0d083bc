"""How near the lists of PureSVD come to those of exact singular vectors.

::

    python benchmarks/svd_exactness.py --output benchmarks/results/svd_exactness.md

MovieLens 100K, the training part of the default split. A user's list has the ten best items that the user does not
have.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from results_file import write_results

from recsys.cli.configuration import compose_config
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.truncated_svd import TURNS, right_singular_vectors
from recsys.runs.assembly import build_data, build_model, build_split, build_view
from recsys.runs.starting import resolved

DIMENSIONS = (19, 64)
ITERATIONS = (6, 12, 24, 48, 96)


def rows() -> list[str]:
    """A row of the table for each number of dimensions and iterations."""
    config = resolved(compose_config("train", ["model=pure_svd", "name=svd"]))
    prepared = build_data(config)
    view = build_view(config, prepared, build_model(config.model, config.seed, prepared))
    train = view.interactions.take(build_split(config, view.interactions).train)
    dense = np.zeros((train.num_users, train.num_items))
    dense[train.user_index, train.item_index] = 1
    matrix = InteractionMatrix.from_interactions(train, torch.device("cpu"))
    exact = np.linalg.svd(dense, full_matrices=False)[2].T
    found = []
    for dim in DIMENSIONS:
        wanted = best_unseen(dense, exact[:, :dim])
        for iterations in ITERATIONS:
            begin = time.process_time()
            vectors = right_singular_vectors(matrix, dim, config.seed, iterations).numpy()
            seconds = time.process_time() - begin
            pairs = zip(wanted, best_unseen(dense, vectors), strict=True)
            shared = np.mean([len(set(a) & set(b)) / len(a) for a, b in pairs])
            default = " (default)" if iterations == TURNS else ""
            found.append(f"| {dim} | {iterations}{default} | {shared:.1%} | {seconds:.2f} |")
    return found


def best_unseen(dense: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """The ten best unseen items of each user, shape [U, 10]."""
    scores = dense @ vectors @ vectors.T
    scores[dense > 0] = -np.inf
    return np.argsort(-scores, axis=1)[:, :10]


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, help="a Markdown file")
    arguments = parser.parse_args()
    lines = [
        "# PureSVD beside exact singular vectors",
        "",
        "`python benchmarks/svd_exactness.py --output benchmarks/results/svd_exactness.md`: MovieLens 100K, the "
        "training part of the default split, lists of the ten best unseen items. Shared: the share of the items in the "
        "lists of exact vectors that are in those of vectors after so many iterations as well. Seconds of processor "
        f"time on {torch.get_num_threads()} threads.",
        "",
        "| dimensions | iterations | shared | seconds |",
        "|---|---|---|---|",
        *rows(),
    ]
    print("\n".join(lines))
    write_results("\n".join(lines) + "\n", arguments.output)


if __name__ == "__main__":
    main()
