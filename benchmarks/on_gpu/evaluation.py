"""An evaluation of all users over the whole catalogue."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from on_gpu.measurement import Measurement, seconds_of
from on_gpu.sizes import Sizes
from on_gpu.synthetic import interactions_of
from recsys.data.split import Split
from recsys.evaluation.ranking import RankingEvaluator
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.mf import MF
from recsys.models.neumf import NeuMF

#: The held-out share, in the order of the data, which is random.
TEST_SHARE = 0.1


def measure_evaluation(device: torch.device, sizes: Sizes) -> Iterator[Measurement]:
    """All metrics at 10 with intervals, of a factorisation and of NeuMF."""
    interactions = interactions_of(sizes)
    rows = np.arange(len(interactions))
    first = round(len(rows) * (1 - TEST_SHARE))
    split = Split(train=rows[:first], valid=rows[:0], test=rows[first:])
    task = RankingTask.from_split(interactions, split, "test", device)
    shape = {"embedding_dim": sizes.embedding_dim, "mlp_embedding_dim": sizes.mlp_dim, "hidden_dims": sizes.hidden_dims}
    layers = sum(2 * a * b for a, b in zip(sizes.hidden_dims, [*sizes.hidden_dims[1:], 1], strict=True))
    product = 2 * sizes.embedding_dim
    for name, network, operations in (
        ("mf", MF(sizes.users, sizes.items, embedding_dim=sizes.embedding_dim), product),
        ("neumf", NeuMF(sizes.users, sizes.items, **shape), product + layers),
    ):
        network, evaluator = network.to(device), RankingEvaluator(ks=(10,))
        pairs = len(task.users) * sizes.items
        with torch.inference_mode():
            seconds = seconds_of(lambda: evaluator.evaluate(network, task), device)  # noqa: B023
        yield Measurement(
            f"evaluation/{name}",
            seconds,
            floor_bytes=2 * 4 * pairs,  # scores are written, and read for the best of them
            floor_operations=pairs * operations,
            details={"users": len(task.users), "users_per_second": len(task.users) / seconds},
        )
