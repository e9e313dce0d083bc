"""Requests as tensors, as a client sends them, and back, as the model reads them.

A tensor has a row for each of B requests. Rows of different lengths are filled up: with empty texts, which are no ids.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recsys.data.encoded_columns import EncodedColumn
from recsys.data.raw import FeatureKind
from recsys.errors import RequestError
from recsys.runtime.onnx_inputs import feature_input
from recsys.runtime.request import RecommendationRequest
from recsys.runtime.user_features import FeatureValue
from recsys_serving.triton.interface import DTYPES, RECOMMEND_INPUTS, SIMILAR_SPECS, Tensors

#: Values of one input of one request, at most; a history of more is cut by whoever asks.
MAX_VALUES = 100_000
#: Characters of one text, at most.
MAX_TEXT = 1_000_000

_INT64 = np.iinfo(np.int64)
_DEFAULTS = RecommendationRequest()
_SPECS = RECOMMEND_INPUTS | SIMILAR_SPECS

Rows = list[list[Any]]


def tensors_of(request: RecommendationRequest) -> Tensors:
    """The inputs of one request, a row each; those that say nothing are left out.

    Raises:
        RequestError: a text is none that UTF-8 holds.
    """
    values: dict[str, Sequence[Any] | None] = {
        "k": [min(request.k, _INT64.max)],
        "user_id": None if request.user_id is None else [request.user_id],
        "history": request.history,
        "ratings": request.ratings,
        "timestamps": request.timestamps,
        "exclude_items": request.exclude_items or None,
        "user_features": [json.dumps(dict(request.user_features))] if request.user_features else None,
        "filters": None if request.filters is None else [json.dumps(_mapping_of(request.filters))],
        "explain": [True] if request.explain else None,
        "exclude_seen": None if request.exclude_seen is None else [json.dumps(_written(request.exclude_seen))],
        "now": None if request.now is None else [request.now],
    }
    if request.diversity is not None:
        values["diversity"] = [request.diversity]
        values["diversity_weight"] = [request.diversity_weight]
        values["diversity_column"] = None if request.diversity_column is None else [request.diversity_column]
    return {name: _tensor(name, given) for name, given in values.items() if given is not None}


def similar_tensors_of(item_ids: Sequence[str], k: int, by: str) -> Tensors:
    """The inputs of a question for similar items, one row."""
    values: dict[str, Sequence[Any]] = {"similar_to": item_ids, "k": [min(k, _INT64.max)], "by": [by]}
    return {name: _tensor(name, given) for name, given in values.items()}


def check_sizes(shapes: Mapping[str, Sequence[int]]) -> None:
    """Require inputs that are not larger than a request may be, before their values are read.

    Raises:
        RequestError: one of them is.
    """
    for name, shape in shapes.items():
        if shape[-1] > MAX_VALUES:
            raise RequestError(
                f"{name} may have {MAX_VALUES:,} values, but {shape[-1]:,} came. Leave out the oldest, or some."
            )


def requests_of(tensors: Tensors, columns: Sequence[EncodedColumn] = ()) -> list[RecommendationRequest]:
    """The requests of B rows.

    Args:
        tensors: the inputs that came; a server has seen to it that they have the same number of rows.
        columns: of users, for the inputs that tell one of them each.

    Raises:
        RequestError: see :class:`recsys.runtime.request.RecommendationRequest`.
    """
    rows = {name: _rows(values) for name, values in tensors.items()}
    return [_request({name: values[row] for name, values in rows.items()}, columns) for row in _numbers(tensors)]


def similar_requests_of(tensors: Tensors) -> list[tuple[list[str], int, str]]:
    """The items, ``k`` and the kind of similarity of B questions for similar items.

    Raises:
        RequestError: ids are no texts.
    """
    rows = {name: _rows(values) for name, values in tensors.items()}
    asked = []
    for row in _numbers(tensors):
        own = {name: values[row] for name, values in rows.items()}
        ids = [name for name in _ids(own, "similar_to") or () if name]
        asked.append((ids, _one(own, "k", _DEFAULTS.k), _text(own, "by") or "model"))
    return asked


def _request(row: Mapping[str, list[Any]], columns: Sequence[EncodedColumn]) -> RecommendationRequest:
    history, exclude_items = _ids(row, "history"), _ids(row, "exclude_items")
    user_ids = _ids(row, "user_id") or [""]
    kept = [bool(name) for name in history or ()]
    features = _features(row, columns)
    told = _parsed("user_features", _text(row, "user_features"))
    return RecommendationRequest(
        user_id=user_ids[0] or None,
        history=None if history is None else [name for name in history if name],
        ratings=None if "ratings" not in row else _kept(row["ratings"], kept),
        timestamps=None if "timestamps" not in row else _kept(row["timestamps"], kept),
        user_features=features if told is None else {**features, **_mapping("user_features", told)},
        k=_one(row, "k", _DEFAULTS.k),
        exclude_items=[name for name in exclude_items or () if name],
        filters=_parsed("filters", _text(row, "filters")),
        diversity=_text(row, "diversity"),
        diversity_weight=_one(row, "diversity_weight", _DEFAULTS.diversity_weight),
        diversity_column=_text(row, "diversity_column"),
        explain=_one(row, "explain", _DEFAULTS.explain),
        exclude_seen=_parsed("exclude_seen", _text(row, "exclude_seen")),
        now=_one(row, "now", None),
    )


def _features(row: Mapping[str, list[Any]], columns: Sequence[EncodedColumn]) -> dict[str, FeatureValue]:
    """What the inputs of single columns tell of the user: NaN and empty texts tell nothing."""
    features: dict[str, FeatureValue] = {}
    for column in columns:
        values = row.get(feature_input(column.name), [])
        if column.kind == FeatureKind.NUMBER:
            there = [value for value in values if not math.isnan(value)]
        else:
            there = [text for text in values if text]
        if there:
            # One text may be several values with separators between them.
            is_one = column.kind != FeatureKind.MULTI_VALUED or (len(there) == 1 and column.separator is not None)
            features[column.name] = there[0] if is_one else there
    return features


def _ids(row: Mapping[str, list[Any]], name: str) -> list[str] | None:
    """Ids as text, which may have come as numbers; None where there are none."""
    numbers = row.get(f"{name}_number")
    if name in row and numbers is not None:
        raise RequestError(f"{name} as text or {name}_number is required, but both came. Leave one of them out.")
    return row.get(name) if numbers is None else [str(value) for value in numbers]


def _kept(values: list[Any], kept: list[bool]) -> list[Any]:
    """The values of items that are there; all of them where they do not match the history, which is an error later."""
    return [value for value, keep in zip(values, kept, strict=True) if keep] if len(values) == len(kept) else values


def _one(row: Mapping[str, list[Any]], name: str, default: Any) -> Any:
    return row[name][0] if row.get(name) else default


def _text(row: Mapping[str, list[Any]], name: str) -> str | None:
    return _one(row, name, None) or None


def _mapping(name: str, parsed: object) -> dict[str, Any]:
    if not isinstance(parsed, dict):
        raise RequestError(f"{name} must be a JSON object, but it is {parsed!r}.")
    return parsed


def _parsed(name: str, text: str | None) -> Any:
    """What a JSON text says; None where there is none.

    Raises:
        RequestError: it is no JSON, or longer than :data:`MAX_TEXT`.
    """
    if text is None:
        return None
    if len(text) > MAX_TEXT:
        raise RequestError(f"{name} may have {MAX_TEXT:,} characters, but these have {len(text):,}.")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"{name} must be JSON, but it cannot be read: {error}.") from None


def _written(exclude_seen: Any) -> Any:
    return exclude_seen.written()


def _mapping_of(filters: Any) -> dict[str, Any]:
    mapping: dict[str, Any] = filters.as_mapping()
    return mapping


def _tensor(name: str, values: Sequence[Any]) -> Any:
    """One row, texts as UTF-8."""
    spec = _SPECS[name]
    if spec.type == "STRING":
        try:
            values = [text.encode("utf-8") for text in values]
        except UnicodeEncodeError as error:
            raise RequestError(f"Texts of {name} must be ones that UTF-8 holds, but one is not: {error}.") from None
    return np.array([list(values)], dtype=DTYPES[spec.type]).reshape(1, len(values))


def _rows(values: Any) -> Rows:
    """An array of shape [B, N] as lists, texts decoded.

    Raises:
        RequestError: a text is no UTF-8.
    """
    rows: Rows = values.tolist()
    if values.dtype != np.object_:
        return rows
    try:
        return [[text.decode("utf-8") if isinstance(text, bytes) else text for text in row] for row in rows]
    except UnicodeDecodeError as error:
        raise RequestError(f"Texts must be UTF-8, but one is not: {error}.") from None


def _numbers(tensors: Tensors) -> range:
    return range(len(next(iter(tensors.values()))))
