"""What a bundle recommends from: the stored history of a user, that of the bundle, or a session of the request.

In data with ratings every interaction needs one. A stored interaction without a value counts as one that was just good
enough to be liked, and a value beyond the scale as its end, because what is stored must never be an error of whoever
asks for a list. A session is the caller's own, and its ratings must be right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from recsys.errors import RequestError
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys_serving.recommending.types import HistoryItem


class History(NamedTuple):
    """A history as a request takes it, oldest first.

    Args:
        item_ids: of the items.
        ratings: of the items; None where the data have none.
        timestamps: of the items; None where they are not all known.
    """

    item_ids: Sequence[str]
    ratings: Sequence[float] | None
    timestamps: Sequence[Any] | None


class StoredHistory(NamedTuple):
    """What is stored of a user, oldest first.

    Args:
        item_ids: of the items.
        values: of the interactions; None where one has none.
        timestamps: seconds since 1970.
    """

    item_ids: Sequence[str] = ()
    values: Sequence[float | None] = ()
    timestamps: Sequence[float] = ()


def of_session(session: Sequence[HistoryItem], recommender: BundleRecommender) -> History:
    """The history of a request.

    Raises:
        RequestError: some interactions have a time and others none, or the data have no ratings.
    """
    values = [item.value for item in session]
    times = [item.timestamp for item in session]
    if any(time is None for time in times) and any(time is not None for time in times):
        raise RequestError("Every interaction of a session must have a timestamp, or none, but some have one.")
    scale = recommender.bundle.manifest.data.rating_range
    if scale is None or all(value is None for value in values):
        ratings = None
    else:
        ratings = _ratings(values, recommender, clips=False)
    return History([item.item_id for item in session], ratings, None if not times or times[0] is None else times)


def of_store(stored: StoredHistory, user_id: str, recommender: BundleRecommender, merges: bool) -> History | None:
    """The history of a known user; None: that of the bundle, as it is.

    Args:
        stored: what the store has.
        user_id: as the bundle may know it.
        recommender: has the bundle.
        merges: whether the stored history goes on from that of the bundle.
    """
    if not stored.item_ids and merges:
        return None
    item_ids, values, times = list(stored.item_ids), list(stored.values), [int(time) for time in stored.timestamps]
    has_times = True
    if merges:
        before = recommender.history_of(user_id)
        ids = recommender.ids_of(before.items)
        own_times = None if before.timestamp is None else before.timestamp.tolist()
        has_times = own_times is not None or not ids
        # The same event may be in both, where the bundle was trained with what the store has.
        both = set() if own_times is None else set(zip(item_ids, times, strict=True))
        kept = [
            place for place, item_id in enumerate(ids) if own_times is None or (item_id, own_times[place]) not in both
        ]
        ratings = [None] * len(ids) if before.rating is None else before.rating.tolist()
        item_ids = [*(ids[place] for place in kept), *item_ids]
        values = [*(ratings[place] for place in kept), *values]
        times = [*(0 if own_times is None else own_times[place] for place in kept), *times]
    has_ratings = recommender.bundle.manifest.data.rating_range is not None
    return History(
        item_ids,
        _ratings(values, recommender, clips=True) if has_ratings else None,
        times if has_times else None,
    )


def _ratings(values: Sequence[float | None], recommender: BundleRecommender, clips: bool) -> list[float]:
    data = recommender.bundle.manifest.data
    assert data.rating_range is not None, "checked by the caller"
    low, high = data.rating_range
    usual = high if data.min_rating is None else data.min_rating
    if not clips:
        return [usual if value is None else value for value in values]
    return [usual if value is None else min(max(value, low), high) for value in values]
