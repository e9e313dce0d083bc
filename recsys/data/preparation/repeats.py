"""Interactions that repeat: what becomes of several interactions of a user with the same item.

Shape suffixes: N interactions, M interactions of pairs that repeat.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from recsys.data.interactions import IntArray, Interactions
from recsys.data.schema import AppliedRule
from recsys.errors import DataWarning

Repeats = Literal["latest", "first", "keep", "aggregate"]

#: ``latest`` may leave out so many interactions, or this share of them, without a warning.
UNTOLD = 20
UNTOLD_SHARE = 0.05
#: What is left of a weight below this share of it is rounding.
_ROUNDING = 1e-5


def cancel_returns(interactions: Interactions) -> tuple[Interactions, AppliedRule | None]:
    """Let negative weights cancel what they return.

    Of each user and item (and fold) the weights below zero are taken off the others, the oldest first. What has no
    weight left is removed, and so are the returns: a pair whose weights add up to zero or less is gone.

    Args:
        interactions: N interactions in raw order; weights may be of any sign.

    Returns:
        Interactions with weights above zero, in their order, and the rule; None where there was nothing to cancel.
    """
    weight = interactions.weight
    if weight is None or bool((weight > 0).all()):
        return interactions, None
    keys = _keys(interactions)
    rows = np.flatnonzero(np.isin(keys, keys[weight <= 0]))
    rows = rows[_by_key_and_time(interactions, keys, rows)]
    given = weight[rows].astype(np.float64)
    start_of, starts = _groups(keys[rows])
    bought, returned = np.maximum(given, 0), np.maximum(-given, 0)
    before = np.cumsum(bought) - bought
    before -= before[starts][start_of]  # what the same pair has bought earlier
    to_cancel = np.add.reduceat(returned, starts) if len(starts) else returned
    left = bought - np.clip(to_cancel[start_of] - before, 0, bought)
    left[left <= _ROUNDING * bought] = 0
    in_excess = np.add.reduceat(bought, starts) < to_cancel * (1 - _ROUNDING) if len(starts) else starts > 0

    new = weight.copy()
    new[rows] = left
    kept = np.flatnonzero(new > 0)
    whole, in_part = int(((given > 0) & (left == 0)).sum()), int(((left > 0) & (left < bought)).sum())
    note = f"{int((given < 0).sum()):,} with a negative weight cancel {whole:,} whole and {in_part:,} in part"
    if in_excess.any():
        note += f"; {int(in_excess.sum()):,} pairs of a user and an item return more than they have"
    rule = AppliedRule(
        "returns",
        "weights below zero cancel those of the same user and item, the oldest first; what has no weight is left out",
        {"interactions": len(weight) - len(kept)},
        note,
    )
    return replace(interactions, weight=new).take(kept), rule


def resolve_repeats(interactions: Interactions, repeats: Repeats) -> tuple[Interactions, AppliedRule]:
    """Resolve repeated interactions of a user with the same item.

    - ``latest`` and ``first`` keep one of them, with its own rating and weight. Of those at the same time, or without
      times, the later row is the later one.
    - ``keep`` keeps them all, as events; each counts 1 where there are no weights.
    - ``aggregate`` keeps the latest, with its rating and time; its weight is the sum of all weights, or their number.

    ``latest`` and ``aggregate`` note the time of the first as ``first_timestamp``, so that a split by time knows what
    was there before. Data that come split keep what repeats across folds, since that is part of the split; there,
    ``latest`` only reduces rows of one fold that are equal in every column.

    Args:
        interactions: N interactions in raw order.
        repeats: one of the four.

    Returns:
        The interactions that stay, in their order, and the rule with its counts.
    """
    keys = _keys(interactions)
    if repeats == "keep":
        num_superseded = len(keys) - _num_distinct(keys)
        note = f"{_share(num_superseded, len(interactions))} repeat an earlier one and are kept"
        rule = AppliedRule("repeats", "all interactions are kept as events", {}, note)
        if num_superseded == 0 or interactions.weight is not None:
            return interactions, rule
        return replace(interactions, weight=np.ones(len(interactions), dtype=np.float32)), rule
    rows = _repeated(keys)
    rows = rows[_by_key_and_time(interactions, keys, rows)]
    if repeats == "latest" and interactions.fold is not None:
        return _without_equal_rows(interactions, keys, rows)
    kept, num_superseded = _one_of_each(interactions, keys, rows, repeats)
    if repeats == "latest":
        _warn_of_loss(num_superseded, len(interactions), interactions.weight is not None)
    name = "duplicates" if repeats == "latest" else "repeats"
    return kept, AppliedRule(name, _STATEMENTS[repeats], {"interactions": num_superseded})


_STATEMENTS: dict[Repeats, str] = {
    "latest": "of a user's interactions with one item the latest is kept, in a tie the last row",
    "first": "of a user's interactions with one item the first is kept, in a tie the first row",
    "aggregate": "a user's interactions with one item become one: latest time and rating, sum of weights (or number)",
}


def _one_of_each(
    interactions: Interactions, keys: IntArray, rows: IntArray, repeats: Repeats
) -> tuple[Interactions, int]:
    """One interaction of each key, and how many others there were; ``rows`` are those of repeated keys, in order."""
    _, starts = _groups(keys[rows])
    if len(starts) == 0:
        return interactions, 0
    ends = np.append(starts[1:], len(rows)) - 1
    superseded = np.ones(len(rows), dtype=np.bool_)
    superseded[starts if repeats == "first" else ends] = False
    kept = np.ones(len(interactions), dtype=np.bool_)
    kept[rows[superseded]] = False
    if repeats != "first":
        interactions = _with_first_times(interactions, rows, starts, ends)
    if repeats == "aggregate":
        interactions = _with_sums(interactions, rows, starts, ends)
    return interactions.take(np.flatnonzero(kept)), int(superseded.sum())


def num_pairs(interactions: Interactions) -> int:
    """The number of different pairs of a user and an item."""
    return _num_distinct(interactions.pairs)


def _num_distinct(keys: IntArray) -> int:
    ordered = np.sort(keys)
    return len(ordered) - int((ordered[1:] == ordered[:-1]).sum())


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


def _keys(interactions: Interactions) -> IntArray:
    """Equal for interactions of the same user, item and fold, shape [N]."""
    keys = interactions.pairs
    if interactions.fold is not None:
        keys *= np.int64(interactions.fold.max(initial=0)) + 1
        keys += interactions.fold
    return keys


def _repeated(keys: IntArray) -> IntArray:
    """Rows whose key occurs more than once, in their order.

    Sorting the keys alone takes a fraction of the time and memory of sorting the rows, and most data have few
    repetitions or none.
    """
    ordered = np.sort(keys)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if len(repeated) == 0:
        return np.empty(0, dtype=np.int64)
    position = np.minimum(np.searchsorted(repeated, keys), len(repeated) - 1)
    return np.flatnonzero(repeated[position] == keys)


def _by_key_and_time(interactions: Interactions, keys: IntArray, rows: IntArray) -> IntArray:
    """The order of ``rows`` (shape [M]) by key, then time, then row."""
    moments = interactions.moments
    if moments is None:
        return np.argsort(keys[rows], kind="stable")
    return np.lexsort((moments[rows], keys[rows]))


def _groups(ordered: IntArray) -> tuple[IntArray, IntArray]:
    """The group of each of some ordered keys, shape [M], and where each group starts."""
    is_first = np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]
    return np.cumsum(is_first) - 1, np.flatnonzero(is_first)


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


def _without_equal_rows(interactions: Interactions, keys: IntArray, rows: IntArray) -> tuple[Interactions, AppliedRule]:
    """Keep rows of one fold that are equal in every column once, the last of them."""
    columns = [
        values[rows]
        for name in ("rating", "weight", "subsecond_ns", "timestamp")
        if (values := getattr(interactions, name)) is not None
    ]
    order = np.lexsort((*columns, keys[rows]))
    superseded = np.ones(len(rows), dtype=np.bool_)
    for column in (keys[rows], *columns):
        superseded &= _same_as_next(column[order])
    kept = np.ones(len(interactions), dtype=np.bool_)
    kept[rows[order[superseded]]] = False
    rule = AppliedRule(
        "duplicates",
        "rows of one fold that are equal in every column are kept once, the last of them",
        {"interactions": int(superseded.sum())},
    )
    return (interactions.take(np.flatnonzero(kept)) if superseded.any() else interactions), rule


def _same_as_next(values: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    return np.append(values[:-1] == values[1:], False) if len(values) else np.zeros(0, dtype=np.bool_)
