"""Who asks for recommendations. Shape suffix: B requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy.typing as npt

from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.types import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class RequestBatch:
    """B users with what is known of them and what they do not want.

    Args:
        users: internal user indices, shape [B], int64; -1 for a user that is not in the vocabulary.
        history: what a model may score from, B lists, oldest first.
        seen: what is not recommended again, B lists; also what was seen without liking it.
        exclude_items: what the user asked not to see, B lists.
        features: columns of the users by name, B rows each, as models read them; empty: what a model has of them.
    """

    users: IntArray
    history: RaggedItems
    seen: RaggedItems
    exclude_items: RaggedItems
    features: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, users: IntArray, history: RaggedItems, seen: RaggedItems, exclude_items: RaggedItems | None = None
    ) -> RequestBatch:
        """The requests of users who block nothing, unless it is said."""
        return cls(users, history, seen, RaggedItems.empty(len(users)) if exclude_items is None else exclude_items)

    def __len__(self) -> int:
        return len(self.users)

    @property
    def num_excluded(self) -> IntArray:
        """Items that the lists of each request exclude, shape [B]; one that is named twice counts twice."""
        return self.seen.counts + self.exclude_items.counts

    def latest(self, most: int | None) -> RequestBatch:
        """With the last ``most`` items of each history; None: with all. What was seen stays."""
        return self if most is None else replace(self, history=self.history.latest(most))

    def take(self, rows: IntArray) -> RequestBatch:
        """The requests at positions ``rows``, in that order."""
        features = {name: values[rows] for name, values in self.features.items()}
        return RequestBatch(
            self.users[rows], self.history.take(rows), self.seen.take(rows), self.exclude_items.take(rows), features
        )
