"""Queries for tests, as models are asked in PyTorch and as they are asked where there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from recsys.data.histories import Histories
from recsys.models.protocols import Query
from recsys.models.served.query import NO_TIMESTAMP, ServedQuery
from recsys.runtime.feeds import QUERY_INPUTS


def served(query: Query, padding: int = 0) -> ServedQuery:
    """The same query as arrays, ``padding`` wider than its longest history."""
    histories = query.histories
    width = max(1, int(histories.counts.max())) + padding
    inside = torch.arange(width) < histories.counts[:, None]

    def rows(values: Tensor | None, missing: float, dtype: torch.dtype) -> Tensor:
        filled = torch.full(inside.shape, missing, dtype=dtype)
        if values is not None:
            filled[inside] = values
        return filled

    return ServedQuery(
        query.users,
        rows(histories.items, -1, torch.int64),
        rows(histories.rating, torch.nan, torch.float32),
        rows(histories.timestamp, NO_TIMESTAMP, torch.int64),
    )


def random_histories(
    lengths: list[int], num_items: int, seed: int, ratings: bool = True, times: bool = True
) -> Histories:
    """Histories of these lengths, oldest first; items occur again where there are more interactions than items."""
    generator = torch.Generator().manual_seed(seed)
    total = sum(lengths)
    stamps = [torch.randint(0, 10**7, (length,), generator=generator).sort().values for length in lengths]
    return Histories(
        torch.tensor([0, *lengths]).cumsum(0),
        torch.randint(0, num_items, (total,), generator=generator),
        torch.randint(1, 6, (total,), generator=generator).float() if ratings else None,
        torch.cat(stamps) + 10**9 if times else None,
    )


def run(path: Path, query: ServedQuery, **more: Tensor) -> Tensor:
    """What ONNX Runtime makes of ``query`` with the model in the file ``path``."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    feeds = dict(zip(QUERY_INPUTS, query, strict=True)) | more
    output = session.run(None, {name: value.numpy() for name, value in feeds.items()})[0]
    assert output.dtype == np.float32
    return torch.from_numpy(output)


def assert_scores_close(actual: Tensor, expected: Tensor, tolerance: float = 1e-4) -> None:
    """Require scores that differ by ``tolerance`` of their spread at most, and the same without opinion."""
    assert actual.dtype == torch.float32
    assert actual.shape == expected.shape
    assert actual.isnan().equal(expected.isnan())
    given = expected[expected.isfinite()]
    if len(given) > 0:
        spread = max(float(given.max() - given.min()), 1e-6)
        torch.testing.assert_close(actual, expected, rtol=0, atol=tolerance * spread, equal_nan=True)
