"""Turns the ids of requests into what models and filters read. Shape suffixes: B requests, L history, U users."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from recsys.data.encoded_columns import EncodedValues
from recsys.data.id_index import IdIndex
from recsys.errors import RequestError
from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.seen_policy import SeenPolicy
from recsys.retrieval.types import FloatArray, IntArray
from recsys.runtime.manifest import BundleData
from recsys.runtime.onnx_inputs import NO_TIMESTAMP
from recsys.runtime.request import RecommendationRequest
from recsys.runtime.user_features import UserFeatures, joined_features

_EXCLUDED = SeenPolicy()


class UserContext(NamedTuple):
    """What is known of one user who asks.

    Attributes:
        user: internal index, -1 for a user that the data do not have.
        history: items that models score from, oldest first, shape [L], int64; no more than the models are given.
        ratings: of the history, shape [L], float32; None where there are none.
        timestamps: of the history, shape [L], int64; None where there are none.
        seen: items that are not recommended again now, int64; also those that are rated too low for the history.
        exclude_items: items that must not be in the list, int64.
        unknown_items: ids of items that the data do not have.
        features: columns of the user as models read them, a row each.
        unknown_values: values of the user's columns that are not known.
        is_known: whether anything is known that a model may score from.
        undated: whether seen items were to come back after some days, but it is not known when they were seen.
    """

    user: int
    history: IntArray
    ratings: FloatArray | None
    timestamps: IntArray | None
    seen: IntArray
    exclude_items: IntArray
    unknown_items: tuple[str, ...]
    features: EncodedValues
    unknown_values: tuple[str, ...]
    is_known: bool
    undated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class UserTables:
    """What the data have of users and items.

    Args:
        data: what models know.
        user_ids: of the vocabulary of users.
        item_ids: of that of items.
        histories: of each user, oldest first, U lists; all interactions, also those that are rated low.
        user_features: columns of the users that models read.
        max_history: latest interactions of a history that models are given; None: all.
        exclude_seen: what happens to seen items where a request does not say.
    """

    data: BundleData
    user_ids: IdIndex
    item_ids: IdIndex
    histories: RaggedItems
    user_features: UserFeatures
    max_history: int | None = None
    exclude_seen: SeenPolicy = _EXCLUDED


class RequestResolver:
    """Turns ids into indices, and adds what the data have of the user.

    Args:
        tables: of the data.
    """

    def __init__(self, tables: UserTables) -> None:
        self._tables = tables
        self._item_ids = tables.item_ids
        #: Items that were added since, with their indices.
        self._added: dict[str, int] = {}
        self._added_ids: list[str] = []

    def resolve(self, request: RecommendationRequest) -> UserContext:
        """What is known of the user who asks.

        Of an item that a history has twice the last interaction counts, unless items repeat in the data as well.

        Raises:
            RequestError: a rating is out of range, the data have no ratings, no model reads a column of the user, its
                value is of another type, or seen items are to come back of which it is not known when they were seen.
        """
        user = -1 if request.user_id is None else self._tables.user_ids.index_of(request.user_id)
        exclude_items, unknown = self._found(request.exclude_items)
        whole, unknown_history = self._whole_history(user, request)
        history, (seen, undated) = self._counted(whole), self._seen(whole, request)
        features, unknown_values = self._tables.user_features.of(user, request.user_features)
        return UserContext(
            user,
            history.items,
            history.rating,
            history.timestamp,
            seen,
            exclude_items[exclude_items >= 0],
            tuple(dict.fromkeys((*unknown_history, *unknown))),
            features,
            unknown_values,
            is_known=user >= 0 or len(history.items) > 0 or bool(request.user_features),
            undated=undated,
        )

    def items_of(self, ids: Sequence[str]) -> IntArray:
        """Indices of items; -1 for those that are unknown."""
        found = self._item_ids.indices_of(ids)
        if self._added:
            for place in np.flatnonzero(found < 0).tolist():
                found[place] = self._added.get(ids[place], -1)
        return found

    def add_items(self, ids: Sequence[str]) -> None:
        """Give new items the next indices."""
        for name in ids:
            # The id first, so that whoever has the index finds the id.
            self._added_ids.append(name)
            self._added[name] = len(self._item_ids) + len(self._added_ids) - 1

    def history_of(self, user_id: str) -> RaggedItems:
        """All that the data have of a user, oldest first: one list, empty for a user that they do not have."""
        user = self._tables.user_ids.index_of(user_id)
        return self._tables.histories.take(np.array([user])) if user >= 0 else RaggedItems.empty(1)

    def ids_of(self, items: IntArray) -> list[str]:
        """The ids of items, any of the catalogue."""
        known = len(self._item_ids)
        if not self._added_ids:
            return self._item_ids.ids_of(items)
        ids = iter(self._item_ids.ids_of(items[items < known]))
        return [next(ids) if item < known else self._added_ids[item - known] for item in items.tolist()]

    def _whole_history(self, user: int, request: RecommendationRequest) -> tuple[RaggedItems, tuple[str, ...]]:
        """All that is known of what a user has seen, one list, and ids that are unknown."""
        if request.history is not None:
            return self._given(request)
        return (self._tables.histories.take(np.array([user])) if user >= 0 else RaggedItems.empty(1)), ()

    def _counted(self, whole: RaggedItems) -> RaggedItems:
        """The history that models get, one list."""
        data = self._tables.data
        counts = whole.items < data.num_items  # the models know nothing of items that were added since
        if whole.rating is not None and data.min_rating is not None:
            counts &= ~(whole.rating < data.min_rating)
        kept = np.flatnonzero(counts)
        if self._tables.max_history is not None:
            kept = kept[-self._tables.max_history :]
        return _at(whole, kept)

    def _seen(self, whole: RaggedItems, request: RecommendationRequest) -> tuple[IntArray, bool]:
        """The items that are not recommended again now, and whether that could not be known for want of times."""
        policy = request.exclude_seen or self._tables.exclude_seen
        assert isinstance(policy, SeenPolicy), "a request has parsed it"
        undated = policy.needs_times and whole.timestamp is None and len(whole.items) > 0
        if undated and request.exclude_seen is not None:
            raise RequestError(
                f"exclude_seen={policy} needs to know when the items of the history were seen, but they have no "
                "timestamps. Give timestamps, or exclude_seen true or false."
            )
        now = int(time.time()) if request.now is None else request.now
        assert isinstance(now, int), "a request has it in seconds"
        excluded = policy.excluded(whole.timestamp, now)
        return whole.items[np.broadcast_to(excluded, whole.items.shape)], undated

    def _given(self, request: RecommendationRequest) -> tuple[RaggedItems, tuple[str, ...]]:
        """The history of a request."""
        assert request.history is not None, "checked by the caller"
        data = self._tables.data
        items, unknown = self._found(request.history)
        there = np.flatnonzero(items >= 0)
        if data.repeats:
            kept = there
        else:
            _, last = np.unique(items[there][::-1], return_index=True)
            kept = there[np.sort(len(there) - 1 - last)]
        ratings = None if request.ratings is None else _in_range(request.ratings, data.rating_range, data.name)
        times = None if request.timestamps is None else np.array(request.timestamps, dtype=np.int64)
        return _at(RaggedItems(np.array([0, len(items)]), items, ratings, times), kept), unknown

    def _found(self, ids: Sequence[str]) -> tuple[IntArray, tuple[str, ...]]:
        """Indices of items, -1 for those that are unknown, and the ids of these."""
        indices = self.items_of(ids)
        return indices, tuple(ids[place] for place in np.flatnonzero(indices < 0).tolist())


def _at(one: RaggedItems, positions: IntArray) -> RaggedItems:
    """One list at some of its positions."""
    if len(positions) == len(one.items):
        return one
    return RaggedItems(
        np.array([0, len(positions)]),
        one.items[positions],
        None if one.rating is None else one.rating[positions],
        None if one.timestamp is None else one.timestamp[positions],
    )


def batch_of(contexts: Sequence[UserContext]) -> RequestBatch:
    """The batch of B requests."""
    counts = [len(one.history) for one in contexts]
    history = RaggedItems(
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        np.concatenate([one.history for one in contexts]),
        _joined([one.ratings for one in contexts], counts, np.nan, np.float32),
        _joined([one.timestamps for one in contexts], counts, NO_TIMESTAMP, np.int64),
    )
    return RequestBatch(
        np.array([one.user for one in contexts], dtype=np.int64),
        history,
        _lists([one.seen for one in contexts]),
        _lists([one.exclude_items for one in contexts]),
        joined_features([one.features for one in contexts]),
    )


def _lists(arrays: Sequence[IntArray]) -> RaggedItems:
    offsets = np.concatenate([[0], np.cumsum([len(array) for array in arrays])]).astype(np.int64)
    return RaggedItems(offsets, np.concatenate(arrays))


def _joined(columns: Sequence[Any], counts: Sequence[int], missing: float, dtype: type[np.generic]) -> Any:
    """One column of several; None where nobody has it."""
    if all(column is None for column in columns):
        return None
    parts = [
        np.full(count, missing, dtype=dtype) if column is None else column.astype(dtype, copy=False)
        for column, count in zip(columns, counts, strict=True)
    ]
    return np.concatenate(parts)


def _in_range(ratings: Sequence[float], scale: tuple[float, float] | None, name: str) -> FloatArray:
    """The ratings as an array.

    Raises:
        RequestError: the data have no ratings, or others.
    """
    if scale is None:
        raise RequestError(f"Ratings were given, but {name} has none. Leave ratings out.")
    values = np.array(ratings, dtype=np.float32)
    wrong = values[(values < scale[0]) | (values > scale[1])]
    if len(wrong) > 0:
        raise RequestError(
            f"Ratings of {name} are from {scale[0]:g} to {scale[1]:g}, but {wrong[0]:g} came. Correct it."
        )
    return values
