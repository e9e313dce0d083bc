"""Slots of a page that may show items from behind it, where the variant of an experiment wants so."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.errors import RecsysError
from recsys.experiments.exploration import ExplorationPolicy, ExplorationPool, explore
from recsys.experiments.variant_options import exploration_of
from recsys_serving.recommending.item_counts import ItemCounts
from recsys_serving.recommending.made_list import MadeItem

_log = logging.getLogger(__name__)

#: Items behind the page that may be shown.
POOL_SIZE = 50

#: Points of Thompson's sum: few, since an answer waits for it; the probabilities that are logged are those of the draw.
_POINTS = 200


@dataclass(frozen=True, slots=True)
class ExploredPage:
    """A page of which some places may show items from behind it.

    Args:
        items: as they are shown.
        propensities: probability of each to stand where it does.
        ranked: the ranker's own item of each place that explores, by the place, from 0.
    """

    items: list[MadeItem]
    propensities: list[float]
    ranked: Mapping[int, str]


def parse_exploration(options: Mapping[str, Any]) -> ExplorationPolicy | None:
    """The exploration of a variant's options; None: it does not explore.

    What cannot be read explores nothing, and is logged.
    """
    try:
        return exploration_of(options)
    except RecsysError as error:
        _log.error("A variant's exploration is left out: %s", error)
        return None


def explored_page(
    items: Sequence[MadeItem],
    k: int,
    policy: ExplorationPolicy,
    fixed: Sequence[str],
    recommendation_id: uuid.UUID,
    counts: ItemCounts | None = None,
) -> ExploredPage:
    """A page of ``k`` items, some of them from behind it, and the probability of each to stand where it does.

    Args:
        items: the page and the pool behind it, best first.
        k: length of the page.
        policy: where and how often.
        fixed: ids of items that keep their places.
        recommendation_id: of the answer, which the draws come from: the same id draws the same.
        counts: what became of items, for ``thompson``; None: nothing is known, and all are as likely.
    """
    page, behind = list(items[:k]), items[k : k + POOL_SIZE]
    kept = set(fixed)
    free = {place for place, item in enumerate(page) if item.item_id not in kept}
    slots = [place for place in policy.slots if place in free]
    if not slots or not behind:
        return ExploredPage(page, [1.0] * len(page), {})
    ids = [item.item_id for item in behind]
    if policy.method == "uniform" or counts is None:
        pool = ExplorationPool(ids)
    else:
        pool = policy.pool(ids, *counts.of(ids), max_points=_POINTS)
    draws = np.random.default_rng(recommendation_id.int)
    shown = explore([item.item_id for item in page], pool, ExplorationPolicy(slots, policy.epsilon), draws)
    by_id = {item.item_id: item for item in items}
    return ExploredPage(
        [by_id[name] for name in shown.item_ids],
        list(shown.propensities),
        {place: page[place].item_id for place in slots[: len(behind)]},
    )
