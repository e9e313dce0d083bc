"""New interactions behind those that are there, with returns and repeats resolved as in a whole preparation.

Shape suffixes: N interactions that are there, M new ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.data.interactions import IntArray, Interactions
from recsys.data.preparation.pair_groups import distinct_sorted, group_starts
from recsys.data.preparation.repeats import Repeats, repeats_rule, without_repeats
from recsys.data.preparation.returns import Returns, net_of_returns
from recsys.data.schema import AppliedRule

#: Columns that a row may have of its own, where others have none: what it then stands for.
_FILLED = ("weight", "subsecond_ns", "first_timestamp")


@dataclass(frozen=True, slots=True)
class MergedInteractions:
    """Interactions of all generations.

    Args:
        interactions: those that were there and stay, in their order, then the new ones that stay, in theirs.
        rules: what the rules did to the new ones and to those whose pairs they have.
        num_superseded: of those that were there, how many are gone.
    """

    interactions: Interactions
    rules: list[AppliedRule]
    num_superseded: int


def merge(there: Interactions, new: Interactions, repeats: Repeats) -> MergedInteractions:
    """Append ``new`` to ``there``.

    Only interactions of pairs that the new ones have are looked at again. Of them the result is what a preparation of
    all raw rows in this order gives, with two differences: a return cancels what came before it in the data, not what
    is appended later; and a row that stands for several has one time, so that a return takes off its weight as a whole.

    Args:
        there: N interactions with repeats resolved.
        new: M interactions in raw order, with the same sizes of vocabularies; weights may be of any sign.
        repeats: as in the preparation.
    """
    size = len(there)
    if new.subsecond_ns is not None or there.subsecond_ns is not None:
        moments = new.moments if new.subsecond_ns is not None else new.timestamp
        assert moments is not None, "there are no parts of a second without seconds"
        new = new.take(np.argsort(moments, kind="stable"))
    every = _joined(there, new)
    met = _rows_of_pairs(every, size)
    if len(met) == 0 and len(distinct_sorted(new.pairs)) == len(new) and (new.weight is None or (new.weight > 0).all()):
        rules = [repeats_rule(repeats, 0, len(new), is_split=False, is_weighted=new.weight is not None)]
        return MergedInteractions(every, rules, 0)
    looked_at = np.concatenate([met, np.arange(size, len(every))])
    small = every.take(looked_at)
    small, left, returns = net_of_returns(small)
    looked_at = looked_at if left is None else looked_at[left]
    firsts = None if small.timestamp is None else _first_times(small)
    resolved = without_repeats(small, repeats)
    kept = resolved.interactions
    if resolved.rows is not None:
        looked_at, firsts = looked_at[resolved.rows], None if firsts is None else firsts[resolved.rows]
    if firsts is not None and repeats in ("latest", "aggregate"):
        kept = _with_first_times(kept, firsts)
    every = _written(every, looked_at, kept)
    stays = np.ones(len(every), dtype=np.bool_)
    stays[met], stays[size:] = False, False
    stays[looked_at] = True
    rules = _rules(returns, repeats, resolved.num_repeats, len(new), new.weight is not None)
    gone = size - int(stays[:size].sum())
    return MergedInteractions(every if stays.all() else every.take(stays), rules, gone)


def _rules(returns: Returns, repeats: Repeats, num_repeats: int, num_new: int, is_weighted: bool) -> list[AppliedRule]:
    rule = returns.rule()
    repeated = repeats_rule(repeats, num_repeats, max(num_new, num_repeats), is_split=False, is_weighted=is_weighted)
    return [repeated] if rule is None else [rule, repeated]


def _joined(there: Interactions, new: Interactions) -> Interactions:
    """Both, one after the other; a column that only one of them has is filled for the other."""
    columns: dict[str, Any] = {}
    for name in ("user_index", "item_index", "rating", "timestamp", *_FILLED):
        parts = [getattr(one, name) for one in (there, new)]
        if any(part is not None for part in parts):
            filled = [
                part if part is not None else _stands_for(name, one)
                for part, one in zip(parts, (there, new), strict=True)
            ]
            columns[name] = np.concatenate(filled)
    given = {name: columns.get(name) for name in ("rating", "timestamp", *_FILLED)}
    return Interactions(
        columns["user_index"],
        columns["item_index"],
        fold=None,
        num_users=new.num_users,
        num_items=new.num_items,
        **given,
    )


def _stands_for(name: str, interactions: Interactions) -> npt.NDArray[Any]:
    """What a row without the column ``name`` means by it."""
    if name == "weight":
        return np.ones(len(interactions), dtype=np.float32)
    if name == "subsecond_ns":
        return np.zeros(len(interactions), dtype=np.int32)
    assert name == "first_timestamp" and interactions.timestamp is not None, "the other columns are in both or in none"
    return interactions.timestamp


def _rows_of_pairs(every: Interactions, size: int) -> IntArray:
    """Which of the first ``size`` rows have the user and the item of a later one."""
    users, items = every.user_index, every.item_index
    is_new = np.zeros(every.num_users, dtype=np.bool_)
    is_new[users[size:]] = True
    rows = np.flatnonzero(is_new[users[:size]])
    later = distinct_sorted(users[size:].astype(np.int64) * every.num_items + items[size:])
    pairs = users[rows].astype(np.int64) * every.num_items + items[rows]
    # A search among the few pairs of the new rows: NumPy's own way would sort all of them.
    place = np.minimum(np.searchsorted(later, pairs), len(later) - 1)
    return rows[later[place] == pairs]


def _first_times(small: Interactions) -> IntArray:
    """The time of the first interaction of the pair of each row, shape [M]."""
    first = small.timestamp if small.first_timestamp is None else small.first_timestamp
    assert first is not None, "the caller has looked"
    pairs = small.pairs
    order = np.argsort(pairs, kind="stable")
    group, starts = group_starts(pairs[order])
    times = np.empty(len(first), dtype=np.int64)
    if len(starts):
        times[order] = np.minimum.reduceat(first[order], starts)[group]
    return times


def _with_first_times(kept: Interactions, firsts: IntArray) -> Interactions:
    """The rows with the time of the first of their pair; without it where each is its own first."""
    if kept.first_timestamp is None and bool((firsts == kept.timestamp).all()):
        return kept
    return replace(kept, first_timestamp=firsts)


def _written(every: Interactions, places: IntArray, kept: Interactions) -> Interactions:
    """``every`` with the columns of ``kept`` at ``places``."""
    changed: dict[str, Any] = {}
    for name in _FILLED:
        new = getattr(kept, name)
        if new is None:
            continue
        column = getattr(every, name)
        column = _stands_for(name, every).copy() if column is None else column
        column[places] = new
        changed[name] = column
    return replace(every, **changed)
