"""An iteration of iALS, and a fit of EASE."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from on_gpu.measurement import Measurement, seconds_of
from on_gpu.sizes import Sizes
from on_gpu.synthetic import interactions_of
from recsys.models.components.recency import Recency
from recsys.models.ease import EASE
from recsys.models.ials import IALS

#: Iterations of the longer of two fits, whose difference is the time of all but one.
ITERATIONS = 3


def measure_ials(device: torch.device, sizes: Sizes) -> Iterator[Measurement]:
    """An iteration: users and then items are solved for."""
    interactions = interactions_of(sizes)

    def fit(iterations: int) -> None:
        model = IALS(sizes.users, sizes.items, embedding_dim=sizes.factors, iterations=iterations)
        model.to(device).fit(interactions)

    once = seconds_of(lambda: fit(1), device)
    several = seconds_of(lambda: fit(ITERATIONS), device, warm_up=False)
    pairs, rows = len(interactions), sizes.users + sizes.items
    yield Measurement(
        "ials/iteration",
        # Of tiny data the difference may be less than the clock tells.
        max((several - once) / (ITERATIONS - 1), 1e-9),
        floor_bytes=2 * 8 * pairs + 2 * 4 * rows * sizes.factors,
        floor_operations=ials_operations(pairs, rows, sizes.factors),
        details={"factors": sizes.factors, "interactions": pairs, "fit_of_one_seconds": once},
    )


def ials_operations(pairs: int, rows: int, factors: int) -> int:
    """Operations of an iteration with a single step of conjugate gradients.

    Each pair takes a product with a vector and one back, for both sides, and each row a turn to the principal axes.
    """
    return 2 * pairs * 4 * factors + 2 * rows * 2 * factors**2


def measure_ease(device: torch.device, sizes: Sizes) -> Iterator[Measurement]:
    """A fit over the whole catalogue."""
    interactions = interactions_of(sizes)
    model = EASE(sizes.users, sizes.items, Recency()).to(device)
    seconds = seconds_of(lambda: model.fit(interactions), device, warm_up=False)
    matrix = 4 * sizes.items**2
    # Cholesky takes a third of I^3 operations and the inverse two thirds; the matrix is written and read by each.
    yield Measurement(
        "ease/fit",
        seconds,
        floor_bytes=4 * matrix,
        floor_operations=sizes.items**3,
        details={"items": sizes.items, "interactions": len(interactions)},
    )
