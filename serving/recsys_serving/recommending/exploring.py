"""Slots of a list that may show other items, where the variant of an experiment wants so."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from recsys.errors import RecsysError
from recsys.experiments.exploration import ExplorationPolicy, ExplorationPool, explore
from recsys_serving.recommending.made_list import MadeItem

_log = logging.getLogger(__name__)

#: Items behind the page that may be explored, where the variant does not say.
POOL_SIZE = 50
#: Largest pool.
MAX_POOL = 1_000


class Exploration(NamedTuple):
    """How a list explores.

    Args:
        policy: where and how often.
        pool_size: items behind the page that may come.
    """

    policy: ExplorationPolicy
    pool_size: int = POOL_SIZE


def parse_exploration(written: object) -> Exploration | None:
    """What a variant says, such as ``{"slots": [4, 9], "epsilon": 0.2, "pool_size": 100}``; None: it does not explore.

    What cannot be read explores nothing, and is logged.
    """
    if not isinstance(written, Mapping) or not written:
        return None
    values = dict(written)
    try:
        size = min(MAX_POOL, int(values.pop("pool_size", POOL_SIZE)))
        return Exploration(ExplorationPolicy(**values), size)
    except (RecsysError, TypeError, ValueError) as error:
        _log.error("A variant's exploration is left out: %s", error)
        return None


def explored_page(
    items: Sequence[MadeItem], k: int, exploration: Exploration, fixed: Sequence[str], recommendation_id: uuid.UUID
) -> tuple[list[MadeItem], list[float]]:
    """A page of ``k`` items, some of them from behind it, and the probability of each to stand where it does.

    Args:
        items: the page and the pool behind it, best first.
        k: length of the page.
        exploration: where and how often.
        fixed: ids of items that keep their places.
        recommendation_id: of the answer, which the draws come from: the same id draws the same.
    """
    page, behind = list(items[:k]), items[k : k + exploration.pool_size]
    kept = set(fixed)
    places = [place for place, item in enumerate(page) if item.item_id not in kept]
    slots = [place for place in exploration.policy.slots if place in set(places)]
    if not slots or not behind:
        return page, [1.0] * len(page)
    policy = ExplorationPolicy(slots, exploration.policy.epsilon)
    pool = ExplorationPool([item.item_id for item in behind])
    shown = explore([item.item_id for item in page], pool, policy, np.random.default_rng(recommendation_id.int))
    by_id: dict[str, Any] = {item.item_id: item for item in items}
    return [by_id[name] for name in shown.item_ids], list(shown.propensities)
