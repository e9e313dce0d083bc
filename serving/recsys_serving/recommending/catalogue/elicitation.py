"""Which items to ask a new user about: many know them, and they differ from each other."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from recsys.runtime.neighbours import NeighbourTable
from recsys_serving.recommending.catalogue.open_bundle import OpenBundle

#: The most popular items, among which those to ask about are chosen.
MAX_CANDIDATES = 300


class ElicitationItems:
    """Chooses items one by one: each time the one with the most interactions, less what the chosen ones tell of it.

    The gain of an item is ``log(1 + interactions)`` times ``1 - s`` for each chosen item that it is similar to, with
    ``s`` its similarity as a share of the largest of that item's neighbours. The order is the same for every ``k``.
    """

    def choose(self, opened: OpenBundle, k: int, exclude_items: Collection[str] = ()) -> list[tuple[str, int]]:
        """At most ``k`` items, the most telling first, with their numbers of interactions.

        Args:
            opened: has the items.
            k: how many.
            exclude_items: ids that were asked about already; what they tell is known as well.
        """
        state = opened.recommender.catalogue
        num_items = opened.bundle.manifest.data.num_items
        counts = np.where(state.available, state.num_interactions[: len(state.available)], 0)[:num_items]
        candidates = np.argsort(-counts, kind="stable")[: MAX_CANDIDATES + len(exclude_items)]
        candidates = candidates[counts[candidates] > 0]
        gains = np.zeros(num_items)
        gains[candidates] = np.log1p(counts[candidates])
        table = opened.neighbours
        asked = opened.recommender.items_of(list(exclude_items))
        for row in asked[(asked >= 0) & (asked < num_items)].tolist():
            _lower(gains, row, table)
        chosen: list[tuple[str, int]] = []
        while len(chosen) < k:
            best = int(gains.argmax()) if num_items else 0
            if num_items == 0 or gains[best] <= 0:
                break
            chosen.append((opened.recommender.ids_of(np.array([best]))[0], int(counts[best])))
            _lower(gains, best, table)
        return chosen


def _lower(gains: np.ndarray[tuple[int, ...], np.dtype[np.float64]], row: int, table: NeighbourTable | None) -> None:
    gains[row] = 0.0
    if table is None:
        return
    neighbours, similarities = table.of(row)
    if len(neighbours) > 0 and similarities.max() > 0:
        # A little is left of the most similar one, so that it is asked about before there is nobody else.
        gains[neighbours] *= 1 - 0.99 * np.maximum(similarities, 0) / similarities.max()
