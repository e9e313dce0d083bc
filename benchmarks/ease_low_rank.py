"""EASE's inverse anew, or changed by a low rank: ``python benchmarks/ease_low_rank.py 3000 --changed 50 150 300 600``.

A user whose row goes from x to x + d changes the Gram matrix by d a' + a d' with a = x + d / 2, so that c users change
it by rank 2c, and the inverse by the formula of Woodbury: here in double precision, from an inverse that is kept.
Seconds are of the processor, one thread; errors are the largest of a weight, beside an inverse in double precision.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from scipy import sparse

from recsys.models.linalg.regularised_gram import regularised_inverse

RIDGE, PER_USER, NEW_PER_USER = 500.0, 60, 2


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("items", type=int)
    parser.add_argument("--changed", type=int, nargs="+", default=[50, 150, 300, 600])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rng, items, users = np.random.default_rng(0), arguments.items, 3 * arguments.items
    popularity = 1 / (1 + np.arange(items)) ** 0.8
    popularity /= popularity.sum()
    rows = ones(rng.choice(items, (users, PER_USER), p=popularity), items)
    gram = (rows.T @ rows).toarray()
    kept = exact_inverse(gram)
    print("| changed users | rank | s | anew s | share | error | error anew |\n|---:|---:|---:|---:|---:|---:|---:|")
    for number in arguments.changed:
        before = rows[rng.choice(users, number, replace=False)]
        after = before.maximum(ones(rng.choice(items, (number, NEW_PER_USER), p=popularity), items))
        begin = time.process_time()
        changed = low_rank(kept, before, after)
        seconds = time.process_time() - begin
        now = gram + (after.T @ after - before.T @ before).toarray()
        single = torch.from_numpy(now.astype(np.float32))
        begin = time.process_time()
        regularised_inverse(single, RIDGE)
        anew = time.process_time() - begin
        exact = weights(exact_inverse(now))
        errors = [np.abs(weights(one) - exact).max() for one in (changed, single.numpy().astype(np.float64))]
        share, told = seconds / anew, [f"{one:.0e}" for one in errors]
        print(f"| {number} | {2 * number} | {seconds:.2f} | {anew:.2f} | {share:.0%} | {told[0]} | {told[1]} |")


def ones(columns: np.ndarray, num_columns: int) -> sparse.csr_matrix:
    """A matrix with ones at some columns of each row."""
    place = (np.repeat(np.arange(len(columns)), columns.shape[1]), columns.ravel())
    matrix = sparse.csr_matrix((np.ones(columns.size), place), shape=(len(columns), num_columns))
    matrix.data[:] = 1
    return matrix


def exact_inverse(gram: np.ndarray) -> np.ndarray:
    """``(gram + ridge)^-1`` in double precision."""
    return np.linalg.inv(gram + RIDGE * np.eye(len(gram)))


def low_rank(inverse: np.ndarray, before: sparse.csr_matrix, after: sparse.csr_matrix) -> np.ndarray:
    """The inverse after some rows have changed."""
    difference, middle = after - before, (before + after) * 0.5
    # d a' + a d' = ((a + d)(a + d)' - (a - d)(a - d)') / 2
    factors = sparse.vstack([middle + difference, middle - difference]).tocsr() * 0.5**0.5
    signs = np.repeat([1.0, -1.0], before.shape[0])
    products = factors @ inverse
    inner = np.diag(signs) + np.asarray(factors @ products.T)
    return inverse - products.T @ np.linalg.solve(inner, products)


def weights(inverse: np.ndarray) -> np.ndarray:
    """The weights of EASE."""
    found = inverse / -np.diagonal(inverse)
    np.fill_diagonal(found, 0)
    return found


if __name__ == "__main__":
    main()
