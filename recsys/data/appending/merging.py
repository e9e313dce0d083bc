"""New interactions behind those that are there, with returns and repeats resolved as in a whole preparation.

Shape suffixes: N interactions that are there, M new ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.data.hashing import hash_columns
from recsys.data.interaction_files import filled_column
from recsys.data.interactions import IntArray, Interactions
from recsys.data.preparation.pair_groups import distinct_sorted, group_starts
from recsys.data.preparation.repeats import Repeats, repeats_rule, without_repeats
from recsys.data.preparation.returns import Returns, net_of_returns
from recsys.data.row_numbers import blocks
from recsys.data.schema import AppliedRule

#: Columns that a row may have of its own, where others have none: what it then stands for.
_FILLED = ("weight", "subsecond_ns", "first_timestamp")

#: Two to the power of this is about how many places a table has for each of the pairs in it.
_SPARSENESS = 6
#: Which are 64 MiB at most.
_MOST_BITS = 26
#: 2**64 over the golden ratio.
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True, eq=False)
class MergedInteractions:
    """Interactions of all generations.

    Args:
        interactions: those that were there and stay, in their order, then the new ones that stay, in theirs.
        added: the new ones that stay.
        gone: positions of those that were there and are gone, ascending.
        changed: positions of those that were there and stay with another weight or first time, ascending.
        num_pairs_more: different pairs of a user and an item, more than there were.
        num_again: new ones that are there already, with all their values; 0 without times, which tell repeats apart.
        rules: what the rules did to the new ones and to those whose pairs they have.
    """

    interactions: Interactions
    added: Interactions
    gone: IntArray
    changed: IntArray
    num_pairs_more: int
    num_again: int
    rules: list[AppliedRule]


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
    if new.subsecond_ns is not None or there.subsecond_ns is not None:
        moments = new.moments if new.subsecond_ns is not None else new.timestamp
        assert moments is not None, "there are no parts of a second without seconds"
        new = new.take(np.argsort(moments, kind="stable"))
    met = _rows_of_pairs(there, new)
    small = _joined(there.take(met), new)
    num_pairs = len(distinct_sorted(small.pairs[: len(met)]))
    net, left, returns = net_of_returns(small)
    looked_at = np.arange(len(small)) if left is None else left
    firsts = None if net.timestamp is None else _first_times(net)
    resolved = without_repeats(net, repeats)
    kept = resolved.interactions
    if resolved.rows is not None:
        looked_at, firsts = looked_at[resolved.rows], None if firsts is None else firsts[resolved.rows]
    if firsts is not None and repeats in ("latest", "aggregate"):
        kept = _with_first_times(kept, firsts)
    is_old = looked_at < len(met)
    stays, old, added = met[looked_at[is_old]], kept.take(is_old), kept.take(~is_old)
    gone = np.setdiff1d(met, stays, assume_unique=True)
    is_changed = np.zeros(len(stays), dtype=np.bool_)
    for name in _FILLED:
        if (values := getattr(old, name)) is not None:
            is_changed |= values != _column(there.take(stays), name)
    return MergedInteractions(
        _assembled(there, gone, stays[is_changed], old.take(is_changed), added),
        added,
        gone,
        stays[is_changed],
        len(distinct_sorted(kept.pairs)) - num_pairs,
        _num_again(small, len(met)),
        _rules(returns, repeats, resolved.num_repeats, len(new), new.weight is not None),
    )


def _rules(returns: Returns, repeats: Repeats, num_repeats: int, num_new: int, is_weighted: bool) -> list[AppliedRule]:
    rule = returns.rule()
    repeated = repeats_rule(repeats, num_repeats, max(num_new, num_repeats), is_split=False, is_weighted=is_weighted)
    return [repeated] if rule is None else [rule, repeated]


def _num_again(small: Interactions, num_there: int) -> int:
    """How many rows from ``num_there`` on are the same as one before, in all that came with them."""
    if small.timestamp is None:
        return 0
    given = (small.user_index, small.item_index, small.rating, small.timestamp, small.weight, small.subsecond_ns)
    hashes = hash_columns(*(column for column in given if column is not None))
    return int(np.isin(hashes[num_there:], hashes[:num_there]).sum())


def _joined(there: Interactions, new: Interactions) -> Interactions:
    """Both, one after the other; a column that only one of them has is filled for the other."""
    nothing = np.empty(0, dtype=np.int64)
    return _assembled(there, nothing, nothing, there.take(nothing), new)


def _assembled(
    there: Interactions, gone: IntArray, changed: IntArray, values: Interactions, added: Interactions
) -> Interactions:
    """Those that stay with their columns of now, then those that are added.

    Args:
        there: N interactions.
        gone: positions of them that are left out.
        changed: positions of them that have other values.
        values: the interactions at ``changed``, with these values.
        added: further ones.
    """
    columns: dict[str, Any] = {}
    for name in ("user_index", "item_index", "rating", "timestamp", *_FILLED):
        if all(getattr(one, name) is None for one in (there, values, added)):
            continue
        column = _column(there, name)
        if len(changed) and name in _FILLED:
            column = column.copy()
            column[changed] = _column(values, name)
        columns[name] = np.concatenate([np.delete(column, gone) if len(gone) else column, _column(added, name)])
    given = {name: columns.get(name) for name in ("rating", "timestamp", *_FILLED)}
    return Interactions(
        columns["user_index"],
        columns["item_index"],
        fold=None,
        num_users=added.num_users,
        num_items=added.num_items,
        **given,
    )


def _column(interactions: Interactions, name: str) -> npt.NDArray[Any]:
    """A column, or what rows without it mean by it."""
    column = getattr(interactions, name)
    return filled_column(name, len(interactions), interactions.timestamp) if column is None else column


def _rows_of_pairs(there: Interactions, new: Interactions) -> IntArray:
    """Which rows that are there have the user and the item of a new one, ascending.

    A table of the places of the new pairs, many times as large as their number, leaves few rows to look up.
    """
    later = distinct_sorted(new.pairs)
    if len(later) == 0:
        return np.empty(0, dtype=np.int64)
    bits = min(len(later).bit_length() + _SPARSENESS, _MOST_BITS)
    may_be_met = np.zeros(1 << bits, dtype=np.bool_)
    may_be_met[_places(later, bits)] = True
    user, item, found = there.user_index, there.item_index, []
    for rows in blocks(len(there)):
        pairs = user[rows].astype(np.int64) * there.num_items + item[rows]
        met = np.flatnonzero(may_be_met[_places(pairs, bits)])
        place = np.minimum(np.searchsorted(later, pairs[met]), len(later) - 1)
        found.append(rows.start + met[later[place] == pairs[met]])
    return np.concatenate([np.empty(0, dtype=np.int64), *found])


def _places(pairs: IntArray, bits: int) -> npt.NDArray[np.uint64]:
    """Numbers of ``bits`` bits by which pairs are spread (Fibonacci hashing), shape [M]."""
    return (pairs.view(np.uint64) * _SPREAD) >> np.uint64(64 - bits)


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
