"""Turns the ids of those who ask into what models and rules read. Shape suffixes: B requests, L history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from recsys.data.encoded_columns import EncodedValues
from recsys.errors import RecsysError
from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.types import FloatArray, IntArray
from recsys.runtime.bundle import Bundle
from recsys.runtime.onnx_inputs import NO_TIMESTAMP
from recsys.runtime.request import RecommendationRequest
from recsys.runtime.user_features import joined_features


class UserContext(NamedTuple):
    """What is known of one user who asks.

    Args:
        user: internal index, -1 for a stranger.
        history: items that models score from, oldest first, shape [L], int64; no more than the bundle lets them.
        ratings: of the history, shape [L], float32; None where there are none.
        timestamps: of the history, shape [L], int64; None where there are none.
        seen: items that are not recommended again, int64; also those that are rated too low for the history.
        exclude_items: items that are not wanted, int64.
        unknown_items: ids of items that the data do not have.
        features: columns of the user as models read them, a row each.
        unknown_values: values that were told of the user and are not known.
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


class RequestResolver:
    """Looks up who asks.

    Args:
        bundle: whose vocabularies and histories they are. The ids are held as a table of some 100 bytes each.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def resolve(self, asked: RecommendationRequest) -> UserContext:
        """What is known of who asks; of what a user has twice the last counts.

        Raises:
            RecsysError: a rating is out of range, the data have no ratings, or a user feature is none of the models or
                of another type.
        """
        data = self._bundle.manifest.data
        user = -1 if asked.user_id is None else self._users.get(asked.user_id, -1)
        exclude_items, unknown = self._found(asked.exclude_items)
        if asked.history is None:
            own = self._bundle.histories.take(np.array([user])) if user >= 0 else RaggedItems.empty(1)
            items, ratings, timestamps = own.items, own.rating, own.timestamp
        else:
            items, unknown_history = self._found(asked.history)
            unknown = (*unknown_history, *unknown)
            there = np.flatnonzero(items >= 0)
            _, last = np.unique(items[there][::-1], return_index=True)
            kept = there[np.sort(len(there) - 1 - last)]
            items = items[kept]
            ratings = None if asked.ratings is None else _in_range(asked.ratings, data.rating_range, data.name)[kept]
            timestamps = None if asked.timestamps is None else np.array(asked.timestamps, dtype=np.int64)[kept]
        seen = items
        told = items < data.num_items  # the models know nothing of those that came since
        if ratings is not None and data.min_rating is not None:
            told &= ~(ratings < data.min_rating)
        kept = np.flatnonzero(told)
        if self._bundle.manifest.max_history is not None:
            kept = kept[-self._bundle.manifest.max_history :]
        if len(kept) < len(items):
            items = items[kept]
            ratings = None if ratings is None else ratings[kept]
            timestamps = None if timestamps is None else timestamps[kept]
        return UserContext(
            user,
            items,
            ratings,
            timestamps,
            seen,
            exclude_items[exclude_items >= 0],
            tuple(dict.fromkeys(unknown)),
            *self._bundle.user_features.of(user, asked.user_features),
        )

    def items_of(self, ids: Sequence[str]) -> IntArray:
        """Indices of items; -1 for those that are unknown."""
        return np.array([self._items.get(name, -1) for name in ids], dtype=np.int64)

    def add_items(self, ids: Sequence[str]) -> None:
        """Give new items the next indices."""
        for name in ids:
            # The id first, so that whoever has the index finds the id.
            self._item_ids.append(name)
            self._items[name] = len(self._item_ids) - 1

    def ids_of(self, items: IntArray) -> list[str]:
        """The ids of items, any of the catalogue."""
        return [self._item_ids[item] for item in items.tolist()]

    def warm_up(self) -> None:
        """Read the tables now, so that the first user does not wait for them."""
        _ = self._users, self._items, self._bundle.user_features, self._bundle.histories

    @cached_property
    def _users(self) -> Mapping[str, int]:
        return _places(self._bundle.user_vocabulary.ids.to_pylist())

    @cached_property
    def _items(self) -> dict[str, int]:
        return _places(self._item_ids)

    @cached_property
    def _item_ids(self) -> list[str]:
        return self._bundle.item_vocabulary.ids.to_pylist()

    def _found(self, ids: Sequence[str]) -> tuple[IntArray, tuple[str, ...]]:
        """Indices of items, -1 for those that are unknown, and the ids of these."""
        indices = self.items_of(ids)
        return indices, tuple(ids[place] for place in np.flatnonzero(indices < 0).tolist())


def requests_of(known: Sequence[UserContext]) -> RequestBatch:
    """The requests of a batch, B of them."""
    counts = [len(one.history) for one in known]
    history = RaggedItems(
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        np.concatenate([one.history for one in known]),
        _joined([one.ratings for one in known], counts, np.nan, np.float32),
        _joined([one.timestamps for one in known], counts, NO_TIMESTAMP, np.int64),
    )
    return RequestBatch(
        np.array([one.user for one in known], dtype=np.int64),
        history,
        _lists([one.seen for one in known]),
        _lists([one.exclude_items for one in known]),
        joined_features([one.features for one in known]),
    )


def _places(ids: Sequence[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(ids)}


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
        RecsysError: the data have no ratings, or others.
    """
    if scale is None:
        raise RecsysError(f"Ratings were given, but {name} has none. Leave ratings out.")
    values = np.array(ratings, dtype=np.float32)
    wrong = values[(values < scale[0]) | (values > scale[1])]
    if len(wrong) > 0:
        raise RecsysError(
            f"Ratings of {name} are from {scale[0]:g} to {scale[1]:g}, but {wrong[0]:g} came. Correct it."
        )
    return values
