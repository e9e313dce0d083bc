"""Recommendations and similar items as tensors, as the model sends them, and back, as a client reads them.

A tensor has a row for each of B requests. K is the longest list; shorter ones end with empty ids and scores of 0, which
JSON holds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from recsys.runtime.recommendation import (
    Contribution,
    ItemExplanation,
    Recommendation,
    SharedAttribute,
    SimilarItems,
)
from recsys_serving.triton.interface import Tensors

#: What is sent as JSON; the model's version is that of the server.
_DETAILS = ("notes", "unknown_items", "unknown_values", "unknown_filter_values", "explanation_method")


def tensors_of(recommendations: Sequence[Recommendation]) -> Tensors:
    """The outputs for B requests: ``item_ids`` and ``scores`` [B, K], ``personalized`` and ``details`` [B, 1]."""
    width = max((len(one.item_ids) for one in recommendations), default=0)
    shape = (len(recommendations), width)
    item_ids, scores = np.full(shape, b"", dtype=np.object_), np.zeros(shape, dtype=np.float32)
    for row, one in enumerate(recommendations):
        item_ids[row, : len(one.item_ids)] = [name.encode("utf-8") for name in one.item_ids]
        scores[row, : len(one.item_ids)] = one.scores
    return {
        "item_ids": item_ids,
        "scores": scores,
        "personalized": np.array([[one.personalized] for one in recommendations], dtype=np.bool_),
        "details": _texts([_details(one) for one in recommendations]),
    }


def recommendation_of(tensors: Tensors, row: int, model_version: str) -> Recommendation:
    """The list in one row."""
    details = json.loads(tensors["details"][row, 0])
    ids: list[str] = [name.decode("utf-8") for name in tensors["item_ids"][row].tolist() if name]
    explanations = details.pop("explanations")
    method = details.pop("explanation_method")
    return Recommendation(
        item_ids=ids,
        scores=tensors["scores"][row, : len(ids)].tolist(),
        personalized=bool(tensors["personalized"][row, 0]),
        model_version=model_version,
        explanations=None if explanations is None else tuple(_explanation(one) for one in explanations),
        explanation_method=method,
        **{name: tuple(texts) for name, texts in details.items()},
    )


def similar_tensors_of(found: Sequence[Sequence[SimilarItems]]) -> Tensors:
    """The output for B questions for similar items: ``similar`` [B, 1]."""
    return {"similar": _texts([[asdict(one) for one in row] for row in found])}


def similar_items_of(tensors: Tensors, row: int) -> list[SimilarItems]:
    """The similar items in one row."""
    return [SimilarItems(**one) for one in json.loads(tensors["similar"][row, 0])]


def _details(one: Recommendation) -> dict[str, Any]:
    explanations = one.explanations
    return {
        **{name: getattr(one, name) for name in _DETAILS},
        "explanations": None if explanations is None else [asdict(explanation) for explanation in explanations],
    }


def _explanation(content: dict[str, Any]) -> ItemExplanation:
    contributions = tuple(
        Contribution(**{**one, "shared": tuple(SharedAttribute(**shared) for shared in one["shared"])})
        for one in content["contributions"]
    )
    return ItemExplanation(**{**content, "contributions": contributions})


def _texts(values: Sequence[object]) -> Any:
    """JSON texts, shape [B, 1]."""
    texts = np.empty((len(values), 1), dtype=np.object_)
    texts[:, 0] = [json.dumps(value, ensure_ascii=False).encode("utf-8") for value in values]
    return texts
