"""What is asked of a bundle and what it answers, in the ids of the data."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from recsys.errors import RecsysError
from recsys.runtime.user_features import FeatureValue


@dataclass(frozen=True, slots=True)
class RecommendationRequest:
    """One user who asks for a list.

    Args:
        user_id: None, or an id that the data do not have, for a user of whom only the history is known.
        history: item ids, oldest first; None: what the bundle has of the user.
        ratings: of the history; None: there are none.
        timestamps: of the history, seconds since 1970; None: there are none.
        user_features: what is known of the user by column, such as ``{"age": 24}``, in place of what the bundle has: a
            number, a text, or a list of texts where there may be several; None: nothing is known. Columns that are not
            given are as the bundle has them.
        k: length of the list.
        exclude_items: item ids that are not wanted.
        only: columns of the items and values, any of which an item must have.
        without: columns and values, none of which an item may have.
        between: columns and the two ends of a range of numbers, None for an open end.
        diversity: a re-ranker (``mmr``, ``calibrated``), or None.
        diversity_weight: of the diversity, from 0 to 1.
        explain: name the items of the history that each recommendation comes from.

    Raises:
        RecsysError: a value is of another type or length than it should be.
    """

    user_id: str | None = None
    history: Sequence[str] | None = None
    ratings: Sequence[float] | None = None
    timestamps: Sequence[int] | None = None
    user_features: Mapping[str, FeatureValue] = field(default_factory=dict)
    k: int = 10
    exclude_items: Sequence[str] = ()
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)
    without: Mapping[str, Sequence[str]] = field(default_factory=dict)
    between: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    diversity: str | None = None
    diversity_weight: float = 0.3
    explain: bool = False

    def __post_init__(self) -> None:
        if self.user_id is not None and not isinstance(self.user_id, str):
            raise RecsysError(f"user_id must be text, but it is {self.user_id!r}. Ids are compared as text.")
        if not isinstance(self.k, int) or isinstance(self.k, bool) or self.k < 1:
            raise RecsysError(f"k must be a whole number of at least 1, but it is {self.k!r}.")
        _check_ids("history", () if self.history is None else self.history)
        _check_ids("exclude_items", self.exclude_items)
        for name, values in (("ratings", self.ratings), ("timestamps", self.timestamps)):
            if values is not None and (self.history is None or len(values) != len(self.history)):
                items = "no history" if self.history is None else f"{len(self.history)} items"
                raise RecsysError(
                    f"{name} must be one for each item of the history, but {len(values)} came for {items}."
                )
        for rating in self.ratings or ():
            if not isinstance(rating, int | float) or not math.isfinite(rating):
                raise RecsysError(f"Ratings must be numbers, but {rating!r} came.")
        for timestamp in self.timestamps or ():
            if not isinstance(timestamp, int):
                raise RecsysError(f"Timestamps must be whole seconds since 1970, but {timestamp!r} came.")
        if not isinstance(self.user_features, Mapping):
            raise RecsysError(
                f"user_features must be columns with their values, such as {{'age': 24}}, but they are "
                f"{self.user_features!r}."
            )
        for name, ends in self.between.items():
            if len(ends) != 2:
                raise RecsysError(f"A range has two ends, such as [1990, 1999], but that of {name} is {list(ends)}.")

    @property
    def rules(self) -> Hashable:
        """Equal for those who ask for the same of the items."""
        return tuple(
            tuple((name, tuple(values)) for name, values in sorted(rules.items()))
            for rules in (self.only, self.without, self.between)
        )


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The answer.

    Args:
        item_ids: best first; k of them, if the rules leave as many.
        scores: of the items.
        personalized: whether it is the user's own list; else it is what is popular, and the scores are numbers of
            interactions.
        unknown_items: ids of the history and of what is blocked that the data do not have; they had no effect.
        unknown_values: of the user's features, as ``column: value``; they had no effect either.
        contributions: for each item the items of the history that it comes from, each with its weight; None where they were
            not asked for, or are not known.
        bundle: name of the bundle that answered.
    """

    item_ids: list[str]
    scores: list[float]
    personalized: bool
    unknown_items: tuple[str, ...]
    unknown_values: tuple[str, ...]
    contributions: list[list[tuple[str, float]]] | None
    bundle: str


def _check_ids(name: str, ids: Sequence[object]) -> None:
    if isinstance(ids, str) or not all(isinstance(value, str) for value in ids):
        raise RecsysError(f"{name} must be a list of item ids as text, but it is {ids!r}.")
