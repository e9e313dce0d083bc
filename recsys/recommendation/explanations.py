"""Why items are recommended: which interactions their scores come from, and what these items have in common.

Shape suffixes: K recommended items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recsys.data.prepared import PreparedDataset
from recsys.errors import ModelError
from recsys.models.interface.explanation import Explanation
from recsys.models.interface.protocols import Query, Recommender
from recsys.recommendation.sampled_explanation import explainer_of
from recsys.recommendation.shared_attributes import SharedAttribute, SharedAttributes


@dataclass(frozen=True, slots=True)
class Contribution:
    """An item of the history that a recommendation comes from.

    Args:
        item: internal index.
        part: what it has in the score; None where the model cannot say.
        shared: what it has in common with the recommended item, what says most first.
    """

    item: int
    part: float | None
    shared: tuple[SharedAttribute, ...]


@dataclass(frozen=True, slots=True)
class ItemExplanation:
    """Why one item is recommended.

    Args:
        contributions: the items of the history with the largest parts, largest first; parts below zero are left out.
        num_older: the oldest interactions that were taken as one.
        older: their part together; 0 where there are none.
        popularity: interactions of the recommended item, where the model says nothing of the history; else None.
    """

    contributions: tuple[Contribution, ...]
    num_older: int
    older: float
    popularity: int | None


@dataclass(frozen=True, slots=True)
class ExplainedRecommendation:
    """A list of recommendations with reasons.

    Args:
        items: internal indices, best first, shape [K], int64.
        scores: shape [K].
        reasons: of each item.
        method: where the parts come from and how far they can be trusted, in words.
    """

    items: Tensor
    scores: Tensor
    reasons: tuple[ItemExplanation, ...]
    method: str


@torch.inference_mode()
def explain_list(
    model: Recommender,
    prepared: PreparedDataset,
    query: Query,
    items: Tensor,
    scores: Tensor,
    num_contributions: int = 3,
) -> ExplainedRecommendation:
    """Say why ``items`` are recommended.

    A model whose scores do not depend on the history has no causes: then it is said how popular an item is, and which
    item of the history has most in common with it.

    Args:
        model: any model, on the CPU.
        prepared: gives the contents of the items.
        query: one user.
        items: internal indices, best first, shape [K], int64; -1 ends the list.
        scores: shape [K].
        num_contributions: items of the history that are named for each, at most.

    Raises:
        ModelError: ``num_contributions`` is below 1.
    """
    if num_contributions < 1:
        raise ModelError(
            f"An explanation names at least 1 cause, but num_causes is {num_contributions}. Ask for 1 or more."
        )
    items, scores = items[items >= 0], scores[items >= 0]
    content = SharedAttributes(prepared)
    try:
        explanation = explainer_of(model).explain(query, items[None])
    except ModelError as error:
        method = f"No parts, but popularity and what is shared with the history: {error}"
        return ExplainedRecommendation(items, scores, _reasons_without_parts(prepared, content, query, items), method)
    reasons = tuple(
        _reasons(explanation, content, place, item, num_contributions) for place, item in enumerate(items.tolist())
    )
    return ExplainedRecommendation(items, scores, reasons, _method(explanation))


def _reasons(
    explanation: Explanation, content: SharedAttributes, place: int, item: int, num_contributions: int
) -> ItemExplanation:
    """Those of the item at ``place`` of the list."""
    num_older = int(explanation.num_grouped[0])
    parts = explanation.contributions[:, place].tolist()
    totals: dict[int, float] = {}
    for contribution, part in zip(explanation.histories.items.tolist()[num_older:], parts[num_older:], strict=True):
        totals[contribution] = totals.get(contribution, 0.0) + part
    largest = sorted(
        (contribution for contribution in totals if totals[contribution] > 0),
        key=lambda contribution: -totals[contribution],
    )[:num_contributions]
    contributions = tuple(
        Contribution(contribution, totals[contribution], content.between(item, contribution))
        for contribution in largest
    )
    return ItemExplanation(contributions, num_older, sum(parts[:num_older]), None)


def _reasons_without_parts(
    prepared: PreparedDataset, content: SharedAttributes, query: Query, items: Tensor
) -> tuple[ItemExplanation, ...]:
    """Popularity, and the item of the history with the most in common."""
    counts = np.bincount(prepared.interactions.item_index, minlength=prepared.interactions.num_items)
    history = query.histories.items.tolist()
    reasons = []
    for item in items.tolist():
        closest = content.closest(item, history)
        contributions = () if closest is None else (Contribution(closest, None, content.between(item, closest)),)
        reasons.append(ItemExplanation(contributions, 0, 0.0, int(counts[item])))
    return tuple(reasons)


def _method(explanation: Explanation) -> str:
    if explanation.errors is None or not bool((explanation.errors > 0).any()):
        return "Exact: the parts of the whole history add up to the score."
    num_older = int(explanation.num_grouped[0])
    largest = explanation.errors[num_older:].max().item()
    older = f" The {num_older:,} older interactions were taken as one." if num_older else ""
    return f"Sampled: all parts add up to the score; the standard error of each is at most {largest:.1g}.{older}"
