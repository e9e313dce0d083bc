"""Queries for tests, as models are asked in PyTorch and as they are asked where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import pyarrow as pa
import torch
from torch import Tensor

from recsys.data.encoded_columns import EncodedColumn
from recsys.data.histories import Histories
from recsys.models.interface.protocols import Query
from recsys.models.onnx.onnx_query import NO_TIMESTAMP, OnnxQuery
from recsys.runtime.onnx_inputs import QUERY_INPUTS, feature_input


def served(
    query: Query, padding: int = 0, columns: Sequence[EncodedColumn] = (), users: pa.Table | None = None
) -> OnnxQuery:
    """The same query as arrays, ``padding`` wider than its longest history.

    Args:
        query: B users.
        padding: further positions.
        columns: of users that the model reads.
        users: what they say of the users of the vocabulary; it counts where the query has no features.
    """
    histories = query.histories
    width = max(1, int(histories.counts.max())) + padding
    inside = torch.arange(width) < histories.counts[:, None]

    def rows(values: Tensor | None, missing: float, dtype: torch.dtype) -> Tensor:
        filled = torch.full(inside.shape, missing, dtype=dtype)
        if values is not None:
            filled[inside] = values
        return filled

    return OnnxQuery(
        query.users,
        rows(histories.items, -1, torch.int64),
        rows(histories.rating, torch.nan, torch.float32),
        rows(histories.timestamp, NO_TIMESTAMP, torch.int64),
        query.features or _features(query.users, columns, users),
    )


def asked(*rows: list[int], users: list[int] | None = None) -> OnnxQuery:
    """What users ask who have these items as histories, without ratings or times; strangers, unless said otherwise."""
    width = max(1, *map(len, rows))
    items = torch.tensor([row + [-1] * (width - len(row)) for row in rows])
    nothing = torch.full(items.shape, torch.nan)
    indices = torch.full((len(rows),), -1) if users is None else torch.tensor(users)
    return OnnxQuery(indices, items, nothing, torch.full_like(items, NO_TIMESTAMP))


def _features(of: Tensor, columns: Sequence[EncodedColumn], users: pa.Table | None) -> dict[str, Tensor]:
    features = {}
    for column in columns:
        assert users is not None
        values = torch.from_numpy(column.encode(users.column(column.name)))
        missing = torch.from_numpy(column.missing(1)).expand(1, *values.shape[1:])
        features[column.name] = torch.cat([values, missing])[of]  # the last row is that of user -1
    return features


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


def run(path: Path, query: OnnxQuery, **more: Tensor) -> Tensor:
    """What ONNX Runtime makes of ``query`` with the model in the file ``path``, which has one output."""
    (output,) = run_all(path, query, **more).values()
    return output


def run_all(path: Path, query: OnnxQuery, **more: Tensor) -> dict[str, Tensor]:
    """All outputs of ONNX Runtime for ``query`` with the model in the file ``path``, by name."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    onnx_inputs = dict(zip(QUERY_INPUTS, query[:-1], strict=True)) | more
    onnx_inputs |= {feature_input(column): values for column, values in query.features.items()}
    outputs = session.run(None, {name: value.numpy() for name, value in onnx_inputs.items()})
    assert all(output.dtype == np.float32 for output in outputs)
    names = [node.name for node in session.get_outputs()]
    return {name: torch.from_numpy(output) for name, output in zip(names, outputs, strict=True)}


def assert_scores_close(actual: Tensor, expected: Tensor, tolerance: float = 1e-4) -> None:
    """Require scores that differ by ``tolerance`` of their spread at most, and the same without opinion."""
    assert actual.dtype == torch.float32
    assert actual.shape == expected.shape
    assert actual.isnan().equal(expected.isnan())
    given = expected[expected.isfinite()]
    if len(given) > 0:
        spread = max(float(given.max() - given.min()), 1e-6)
        torch.testing.assert_close(actual, expected, rtol=0, atol=tolerance * spread, equal_nan=True)
