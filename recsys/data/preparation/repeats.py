"""Interactions that repeat: what becomes of several interactions of a user with the same item.

Shape suffixes: N interactions, M interactions of pairs that repeat.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from recsys.data.interactions import IntArray, Interactions
from recsys.data.preparation.pair_groups import (
    group_starts,
    num_distinct,
    order_by_key_and_time,
    pair_keys,
    rows_of_repeated,
)
from recsys.data.schema import AppliedRule
from recsys.data.user_items import UserItems
from recsys.errors import DataWarning

Repeats = Literal["latest", "first", "keep", "aggregate"]

#: ``latest`` may leave out so many interactions, or this share of them, without a warning.
UNTOLD = 20
UNTOLD_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Resolved:
    """Interactions without repeats.

    Args:
        interactions: those that stay, in their order.
        rows: their positions, int64; None where all stay.
        num_repeats: interactions that repeat another one: left out, or kept as events.
    """

    interactions: Interactions
    rows: IntArray | None
    num_repeats: int


def resolve_repeats(interactions: Interactions, repeats: Repeats) -> tuple[Interactions, AppliedRule]:
    """Resolve repeated interactions of a user with the same item; see :func:`without_repeats`.

    Args:
        interactions: N interactions in raw order.
        repeats: one of the four.

    Returns:
        The interactions that stay, in their order, and the rule with its counts.
    """
    resolved = without_repeats(interactions, repeats)
    rule = repeats_rule(
        repeats,
        resolved.num_repeats,
        len(interactions),
        is_split=interactions.fold is not None,
        is_weighted=interactions.weight is not None,
    )
    return resolved.interactions, rule


def without_repeats(interactions: Interactions, repeats: Repeats) -> Resolved:
    """The interactions with repeats resolved.

    - ``latest`` and ``first`` keep one of them, with its own rating and weight. Of those at the same time, or without
      times, the later row is the later one.
    - ``keep`` keeps them all, as events; each counts 1 where there are no weights.
    - ``aggregate`` keeps the latest, with its rating and time; its weight is the sum of all weights, or their number.

    ``latest`` and ``aggregate`` note the time of the first as ``first_timestamp``, so that a split by time knows what
    was there before. Data that come split keep what repeats across folds, since that is part of the split; there,
    ``latest`` only reduces rows of one fold that are equal in every column.

    Args:
        interactions: N interactions in raw order, of all users or of some.
        repeats: one of the four.
    """
    # Most data have no repetition at all, and counting pairs takes a fraction of the memory of their keys.
    if interactions.fold is None and repeats != "keep" and num_pairs(interactions) == len(interactions):
        return Resolved(interactions, None, 0)
    if repeats == "keep":
        num_repeats = len(interactions) - _num_groups(interactions)
        if num_repeats and interactions.weight is None:
            interactions = replace(interactions, weight=np.ones(len(interactions), dtype=np.float32))
        return Resolved(interactions, None, num_repeats)
    keys = pair_keys(interactions)
    rows = rows_of_repeated(keys)
    rows = rows[order_by_key_and_time(interactions, keys, rows)]
    if repeats == "latest" and interactions.fold is not None:
        superseded = rows[_equal_to_next(interactions, keys, rows)]
    else:
        interactions, superseded = _one_of_each(interactions, keys, rows, repeats)
    if len(superseded) == 0:
        return Resolved(interactions, None, 0)
    kept = np.ones(len(interactions), dtype=np.bool_)
    kept[superseded] = False
    left = np.flatnonzero(kept)
    return Resolved(interactions.take(left), left, len(superseded))


def repeats_rule(
    repeats: Repeats, num_repeats: int, num_interactions: int, *, is_split: bool, is_weighted: bool
) -> AppliedRule:
    """The rule of repeats with its count.

    Args:
        repeats: one of the four.
        num_repeats: interactions that repeat another one.
        num_interactions: interactions before the rule.
        is_split: whether the data come split.
        is_weighted: whether they have weights of their own.

    Warns:
        DataWarning: many are left out, or some with weights.
    """
    if repeats == "keep":
        note = f"{_share(num_repeats, num_interactions)} repeat an earlier one and are kept"
        return AppliedRule("repeats", "all interactions are kept as events", {}, note)
    removed = {"interactions": num_repeats}
    if repeats == "latest" and is_split:
        statement = "rows of one fold that are equal in every column are kept once, the last of them"
        return AppliedRule("duplicates", statement, removed)
    if repeats == "latest":
        _warn_of_loss(num_repeats, num_interactions, is_weighted)
    name = "duplicates" if repeats == "latest" else "repeats"
    return AppliedRule(name, _STATEMENTS[repeats], removed)


_STATEMENTS: dict[Repeats, str] = {
    "latest": "of a user's interactions with one item the latest is kept, in a tie the last row",
    "first": "of a user's interactions with one item the first is kept, in a tie the first row",
    "aggregate": "a user's interactions with one item become one: latest time and rating, sum of weights (or number)",
}


def _one_of_each(
    interactions: Interactions, keys: IntArray, rows: IntArray, repeats: Repeats
) -> tuple[Interactions, IntArray]:
    """The interactions with what one of each key notes of the others, and the rows of the others.

    ``rows`` are those of repeated keys, in order.
    """
    _, starts = group_starts(keys[rows])
    if len(starts) == 0:
        return interactions, starts
    ends = np.append(starts[1:], len(rows)) - 1
    superseded = np.ones(len(rows), dtype=np.bool_)
    superseded[starts if repeats == "first" else ends] = False
    if repeats != "first":
        interactions = _with_first_times(interactions, rows, starts, ends)
    if repeats == "aggregate":
        interactions = _with_sums(interactions, rows, starts, ends)
    return interactions, rows[superseded]


def num_pairs(interactions: Interactions) -> int:
    """The number of different pairs of a user and an item."""
    return len(UserItems.from_interactions(interactions))


def _num_groups(interactions: Interactions) -> int:
    """The number of different pairs, of each fold for itself."""
    return num_pairs(interactions) if interactions.fold is None else num_distinct(pair_keys(interactions))


def _share(num_repeats: int, num_all: int) -> str:
    return f"{num_repeats:,} of {num_all:,} interactions ({num_repeats / max(num_all, 1):.1%})"


def _warn_of_loss(num_removed: int, num_all: int, weighted: bool) -> None:
    """Tell how many repetitions are left out, where they are many or have weights of their own."""
    if num_removed == 0 or not (weighted or num_removed > max(UNTOLD, UNTOLD_SHARE * num_all)):
        return
    lost = " and the weights of the others are lost" if weighted else ""
    warnings.warn(
        f"{_share(num_removed, num_all)} repeat a user and an item; only the latest of each is kept{lost}. "
        "preparation.repeats=aggregate adds them up; preparation.repeats=keep keeps them as events, so that a split by "
        "time trains on what came before.",
        DataWarning,
        stacklevel=2,
    )


def _with_first_times(interactions: Interactions, rows: IntArray, starts: IntArray, ends: IntArray) -> Interactions:
    """Note the time of the first of each group on its last row."""
    time = interactions.timestamp
    if time is None or interactions.fold is not None or bool((time[rows[starts]] == time[rows[ends]]).all()):
        return interactions
    first = time.copy()
    first[rows[ends]] = time[rows[starts]]
    return replace(interactions, first_timestamp=first)


def _with_sums(interactions: Interactions, rows: IntArray, starts: IntArray, ends: IntArray) -> Interactions:
    """Put the sum of the weights of each group on its last row."""
    ones = np.ones(len(interactions), dtype=np.float32)
    weight = ones if interactions.weight is None else interactions.weight.copy()
    weight[rows[ends]] = np.add.reduceat(weight[rows].astype(np.float64), starts)
    return replace(interactions, weight=weight)


def _equal_to_next(interactions: Interactions, keys: IntArray, rows: IntArray) -> IntArray:
    """Positions in ``rows`` of those that a later one of the same fold equals in every column."""
    columns = [
        values[rows]
        for name in ("rating", "weight", "subsecond_ns", "timestamp")
        if (values := getattr(interactions, name)) is not None
    ]
    order = np.lexsort((*columns, keys[rows]))
    superseded = np.ones(len(rows), dtype=np.bool_)
    for column in (keys[rows], *columns):
        superseded &= _same_as_next(column[order])
    return order[superseded]


def _same_as_next(values: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    return np.append(values[:-1] == values[1:], False) if len(values) else np.zeros(0, dtype=np.bool_)
