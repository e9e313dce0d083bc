"""What training rows a new generation of data has, and an earlier model did not learn from.

Shape suffixes: N rows, U users.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recsys.data.hashing import HashArray, hash_columns
from recsys.data.interactions import Interactions
from recsys.data.row_numbers import RowArray, blocks
from recsys.data.user_rows import UserRows

#: Of whom this share of the rows is fresh, little is known from before.
MUCH = 0.1
#: Columns in which a row may differ from what it was.
_COLUMNS = ("rating", "timestamp", "weight", "subsecond_ns")
#: Rows that are hashed at once: their columns stay in the processor's caches.
_AT_ONCE = 1 << 14
#: With more rows that are gone, rows are compared by hashes.
_MOST_GONE = 20_000
#: Where the upper half of a number of eight bytes is.
_UPPER = 1 if sys.byteorder == "little" else 0


@dataclass(frozen=True, slots=True, eq=False)
class TrainingChange:
    """The difference between the training rows of two generations, by users: the others have the same rows in both.

    Args:
        users: which users have other rows than before, shape [U], bool; all new ones with a row are among them.
        before: their rows before, in the indices of now.
        now: their rows now.
        is_fresh: which of the rows of ``now`` were not there before, shape [rows of ``now``], bool.
    """

    users: npt.NDArray[np.bool_]
    before: Interactions
    now: Interactions
    is_fresh: npt.NDArray[np.bool_]

    @classmethod
    def between(cls, before: Interactions, now: Interactions) -> TrainingChange:
        """The change from some training rows to later ones, of the same users and items and perhaps of more.

        Args:
            before: rows that a model was fitted on; its indices are those of ``now``.
            now: all training rows of now.
        """
        before = replace(before, num_users=now.num_users, num_items=now.num_items)
        aligned = _aligned(before, now)
        if aligned is not None:
            stays, num_kept = aligned
            users = np.zeros(now.num_users, dtype=np.bool_)
            users[before.user_index[~stays]] = True
            users[now.user_index[num_kept:]] = True
            of_before, of_now = users[before.user_index], users[now.user_index]
            is_fresh = np.flatnonzero(of_now) >= num_kept
            return cls(users, before.take(of_before), now.take(of_now), is_fresh)
        hashes = _row_hashes(before), _row_hashes(now)
        sums = [_sums_by_user(rows, hashed) for rows, hashed in zip((before, now), hashes, strict=True)]
        users = (sums[0] != sums[1]).any(axis=1)
        of_before, of_now = users[before.user_index], users[now.user_index]
        is_fresh = ~np.isin(hashes[1][of_now], hashes[0][of_before])
        return cls(users, before.take(of_before), now.take(of_now), is_fresh)

    @property
    def num_fresh(self) -> int:
        """Rows that were not there before."""
        return int(self.is_fresh.sum())

    @property
    def is_nothing(self) -> bool:
        """Whether the training rows are the same."""
        return not bool(self.users.any())

    def fresh_shares(self) -> npt.NDArray[np.float64]:
        """Which share of the rows of each user was not there before; 0 for users without rows; shape [U]."""
        users = self.now.user_index
        fresh, every = (np.bincount(rows, minlength=len(self.users)) for rows in (users[self.is_fresh], users))
        return fresh / np.maximum(every, 1)

    def items(self) -> npt.NDArray[np.bool_]:
        """Which items have other training rows than before, or other users of such rows; shape [I], bool."""
        changed = np.zeros(self.now.num_items, dtype=np.bool_)
        changed[self.now.item_index[self.is_fresh]] = True
        counts = [np.bincount(rows.item_index, minlength=len(changed)) for rows in (self.before, self.now)]
        changed |= counts[0] != counts[1]
        return changed

    def rows_with_replay(self, interactions: Interactions, replay: float, seed: int) -> RowArray:
        """Rows to learn the change from, for models that learn from each row by itself.

        Those that are fresh, all of users of whom :data:`MUCH` is fresh, and some of the others, so that what they
        taught is not forgotten.

        Args:
            interactions: the training rows of now.
            replay: share of the others, drawn at random.
            seed: of the draw.

        Returns:
            Their positions, in order.
        """
        users = interactions.user_index
        learned = (self.fresh_shares() >= MUCH)[users]
        learned[np.flatnonzero(self.users[users])[self.is_fresh]] = True
        learned |= _other_each_time(seed, interactions).random(len(learned)) < replay
        return np.flatnonzero(learned)

    def latest_with_replay(self, interactions: Interactions, replay: float, latest: int | None, seed: int) -> RowArray:
        """Rows to learn the change from, for models that learn from histories: those of whole users.

        Those of the users with other rows, and of some of the others, drawn at random.

        Args:
            interactions: the training rows of now.
            replay: share of the rows of other users that those have who are drawn.
            latest: rows of a user that count, the latest ones in the order of the table; None: all.
            seed: of the draw.

        Returns:
            Their positions, in order.
        """
        rows = UserRows.in_order(interactions.user_index, interactions.num_users)
        counts = rows.counts if latest is None else np.minimum(rows.counts, latest)
        others = _other_each_time(seed, interactions).permutation(np.flatnonzero(~self.users & (counts > 0)))
        drawn = self.users.copy()
        drawn[others[np.cumsum(counts[others]) <= replay * counts[others].sum()]] = True
        before_end = np.repeat(rows.offsets[1:], rows.counts) - np.arange(len(rows.rows))
        is_learned = np.repeat(drawn, rows.counts) & (before_end <= np.repeat(counts, rows.counts))
        return np.sort(rows.rows[is_learned])


def _other_each_time(seed: int, interactions: Interactions) -> np.random.Generator:
    """A generator that draws other rows in each generation: the same ones again and again would be learnt by heart."""
    return np.random.default_rng([seed, len(interactions)])


def _aligned(before: Interactions, now: Interactions) -> tuple[npt.NDArray[np.bool_], int] | None:
    """Which rows of ``before`` are the first rows of ``now``, in their order, and how many these are.

    So it is where rows were appended, and some were taken out. None where it is not so.
    """
    names = ("user_index", "item_index", *_COLUMNS)
    pairs = [(getattr(before, name), getattr(now, name)) for name in names]
    if any((old is None) != (new is None) for old, new in pairs):
        return None
    columns = [(old, new) for old, new in pairs if old is not None and new is not None]
    stays = np.ones(len(before), dtype=np.bool_)
    old, new, size, num_gone = 0, 0, _AT_ONCE, 0
    while old < len(before) and new < len(now):
        at_once = min(size, len(before) - old, len(now) - new)
        equal = np.ones(at_once, dtype=np.bool_)
        for first, second in columns:
            equal &= first[old : old + at_once] == second[new : new + at_once]
        same = at_once if equal.all() else int(np.argmin(equal))
        old, new, size = old + same, new + same, min(2 * size, 1 << 18)
        if same < at_once:
            stays[old] = False
            old, size, num_gone = old + 1, 1 << 10, num_gone + 1
            if num_gone > min(_MOST_GONE, len(before) // 4):
                return None
    stays[old:] = False
    return stays, new


def _row_hashes(rows: Interactions) -> HashArray:
    """A hash of each row, of all that a model may learn from; shape [N]."""
    user, item = rows.user_index, rows.item_index
    columns = [column for name in _COLUMNS if (column := getattr(rows, name)) is not None]
    hashes = np.empty(len(rows), dtype=np.uint64)
    for part in blocks(len(rows), _AT_ONCE):
        pairs = user[part].astype(np.int64) << 32 | item[part]
        hashes[part] = hash_columns(pairs, *(column[part] for column in columns))
    return hashes


def _sums_by_user(rows: Interactions, hashes: HashArray) -> npt.NDArray[np.float64]:
    """The sum of the upper halves of the hashes of each user, and their number; shape [U, 2].

    The sum is exact up to two million rows of a user. Rows that differ have the same sum once in four billion times.
    """
    users = rows.user_index
    upper = hashes.view(np.uint32)[_UPPER::2]
    return np.stack([np.bincount(users, half, minlength=rows.num_users) for half in (upper, None)], axis=1)
