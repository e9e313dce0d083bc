"""Why an item is in a list: in sentences that people understand, and as the parts of its score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from recsys.runtime.explanations.shared_attributes import format_shared
from recsys.runtime.recommendation import ItemExplanation

#: Items of the history that are named, at most.
MAX_NAMED = 3

POPULAR = "It is popular: here is what many others chose."
PROMOTED = "It has this place because it is promoted."


def reasons_of(explanation: ItemExplanation, titles_of: Callable[[Sequence[str]], list[str]]) -> tuple[str, ...]:
    """The reasons of one item, the strongest first.

    Args:
        explanation: of the item.
        titles_of: gives titles of items by their ids.
    """
    named = explanation.contributions[:MAX_NAMED]
    titles = titles_of([contribution.item_id for contribution in named])
    reasons = []
    for contribution, title in zip(named, titles, strict=True):
        shared = format_shared(contribution.shared)
        reasons.append(f"Because of {title}{f' ({shared})' if shared else ''}.")
    if explanation.num_older > 0 and explanation.older_value > 0:
        reasons.append(f"Because of {explanation.num_older} older items of the history.")
    if explanation.popularity is not None:
        reasons.append(f"Because it is popular: {explanation.popularity:,} interactions.")
    return tuple(reasons)


def explanation_of(explanation: ItemExplanation, titles_of: Callable[[Sequence[str]], list[str]]) -> dict[str, Any]:
    """The parts of one item's score, ready to be sent.

    Args:
        explanation: of the item.
        titles_of: gives titles of items by their ids.

    Returns:
        ``contributions`` of items of the history (``item_id``, ``title``, ``value``, and what they ``shared`` with this
        one), and the other fields of :class:`recsys.runtime.recommendation.ItemExplanation`.
    """
    titles = titles_of([contribution.item_id for contribution in explanation.contributions])
    return {
        "contributions": [
            {
                "item_id": one.item_id,
                "title": title,
                "value": one.value,
                "shared": [attribute.text for attribute in one.shared],
            }
            for one, title in zip(explanation.contributions, titles, strict=True)
        ],
        "num_older": explanation.num_older,
        "older_value": explanation.older_value,
        "popularity": explanation.popularity,
        "rest": explanation.rest,
    }
