"""Triton model: who asks, in the ids of the data, to what the query encoder and the candidates read."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, _HERE)

from recsys.data.encoded_columns import EncodedColumn  # noqa: E402
from recsys.data.raw import FeatureKind  # noqa: E402
from recsys.errors import RecsysError  # noqa: E402
from recsys.runtime.onnx_inputs import feature_input  # noqa: E402
from recsys.runtime.request import RecommendationRequest  # noqa: E402
from recsys.runtime.user_features import FeatureValue  # noqa: E402
from recsys_serving.triton.separate_stages import PreprocessStage, open_part  # noqa: E402

#: Length of a list where none is asked for.
DEFAULT_K = RecommendationRequest().k


class TritonPythonModel:
    """One instance; Triton makes, asks and ends it."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the tables."""
        bundle = open_part(Path(_HERE) / "bundle")
        self._stage = PreprocessStage(bundle)
        self._columns = bundle.user_columns

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer each request, or say what is wrong with it."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        try:
            asked = _asked(request, self._columns)
            found = self._stage(asked)
        except (RecsysError, UnicodeDecodeError) as error:
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(str(error)))
        k = np.array([[one.k] for one in asked], dtype=np.int64)
        # Between the steps every tensor has a row for each request.
        onnx_inputs = {
            name: values[:, None] if values.ndim == 1 else values for name, values in found.onnx_inputs.items()
        }
        onnx_inputs |= {"excluded": found.excluded, "k": k}
        wanted = set(request.requested_output_names())
        return pb_utils.InferenceResponse(
            [pb_utils.Tensor(name, onnx_inputs[name]) for name in onnx_inputs if name in wanted]
        )


def _asked(request: Any, columns: Sequence[EncodedColumn]) -> list[RecommendationRequest]:
    """One question for each row of a request; ``columns`` are those of users that may be told."""
    users, histories, exclude_items = (_ids(request, name) for name in ("user_id", "history", "exclude_items"))
    ratings, timestamps, ks = (_rows(request, name) for name in ("ratings", "timestamps", "k"))
    told = [(column, _rows(request, feature_input(column.name))) for column in columns]
    # The server has seen to it that all have the same number of rows.
    came = (users, histories, exclude_items, ratings, timestamps, ks, *(rows for _, rows in told))
    some = next(rows for rows in came if rows is not None)
    asked = []
    for row in range(len(some)):
        history = None if histories is None else histories[row]
        # Empty texts fill up histories of different lengths in one request.
        kept = [bool(name) for name in history or ()]
        asked.append(
            RecommendationRequest(
                user_id=None if users is None or not users[row][0] else users[row][0],
                history=None if history is None else [name for name in history if name],
                ratings=None if ratings is None else _kept(ratings[row], kept),
                timestamps=None if timestamps is None else _kept(timestamps[row], kept),
                user_features=_features([(column, rows[row]) for column, rows in told if rows is not None]),
                k=DEFAULT_K if ks is None else ks[row][0],
                exclude_items=[] if exclude_items is None else [name for name in exclude_items[row] if name],
            )
        )
    return asked


def _features(told: Sequence[tuple[EncodedColumn, list[Any]]]) -> dict[str, FeatureValue]:
    """What one row tells of the user: NaN and empty texts tell nothing."""
    features: dict[str, FeatureValue] = {}
    for column, values in told:
        if column.kind == FeatureKind.NUMBER:
            there = [value for value in values if not math.isnan(value)]
        else:
            there = [value.decode("utf-8") for value in values if value]
        if there:
            # One text may be several values with separators between them.
            is_one = column.kind != FeatureKind.MULTI_VALUED or (len(there) == 1 and column.separator is not None)
            features[column.name] = there[0] if is_one else there
    return features


def _kept(values: list[Any], kept: list[bool]) -> list[Any]:
    """The values of items that are there; all of them where they do not match the history, which is an error later."""
    return [value for value, keep in zip(values, kept, strict=True) if keep] if len(values) == len(kept) else values


def _ids(request: Any, name: str) -> list[list[str]] | None:
    """Ids as text, which may have come as numbers; None where there are none."""
    texts, numbers = _rows(request, name), _rows(request, f"{name}_number")
    if texts is not None and numbers is not None:
        raise RecsysError(f"{name} as text or {name}_number is required, but both came. Leave one of them out.")
    if texts is not None:
        return [[value.decode("utf-8") for value in row] for row in texts]
    return None if numbers is None else [[str(value) for value in row] for row in numbers]


def _rows(request: Any, name: str) -> list[list[Any]] | None:
    """An input of shape [B, N] as lists; None where it did not come."""
    tensor = pb_utils.get_input_tensor_by_name(request, name)
    if tensor is None:
        return None
    rows: list[list[Any]] = tensor.as_numpy().tolist()
    return rows
