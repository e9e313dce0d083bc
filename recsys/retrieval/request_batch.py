"""Who asks for recommendations. Shape suffix: B requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.retrieval.types import IntArray
from recsys.retrieval.ragged_items import ItemLists


@dataclass(frozen=True, slots=True, eq=False)
class Requests:
    """B users with what is known of them and what they do not want.

    Args:
        users: internal user indices, shape [B], int64; -1 for a user that is not in the vocabulary.
        history: what a model may score from, B lists, oldest first.
        seen: what is not recommended again, B lists; also what was seen without liking it.
        blocked: what the user asked not to see, B lists.
        features: columns of the users by name, B rows each, as models read them; empty: what a model has of them.
    """

    users: IntArray
    history: ItemLists
    seen: ItemLists
    blocked: ItemLists
    features: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, users: IntArray, history: ItemLists, seen: ItemLists, blocked: ItemLists | None = None) -> Requests:
        """The requests of users who block nothing, unless it is said."""
        return cls(users, history, seen, ItemLists.empty(len(users)) if blocked is None else blocked)

    def __len__(self) -> int:
        return len(self.users)

    @property
    def most_excluded(self) -> int:
        """The most items that the lists of one request exclude."""
        return int(np.max(self.seen.counts + self.blocked.counts, initial=0))

    def latest(self, most: int | None) -> Requests:
        """With the last ``most`` items of each history; None: with all. What was seen stays."""
        return self if most is None else replace(self, history=self.history.latest(most))

    def take(self, rows: IntArray) -> Requests:
        """The requests at positions ``rows``, in that order."""
        features = {name: values[rows] for name, values in self.features.items()}
        return Requests(
            self.users[rows], self.history.take(rows), self.seen.take(rows), self.blocked.take(rows), features
        )
