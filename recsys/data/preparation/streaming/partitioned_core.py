"""The k-core of interactions in partitions: users are counted in each, items over all of them, round after round."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.cli.progress import progress
from recsys.data.interactions import IntArray, Interactions
from recsys.data.preparation.cleaning import check_unsplit, k_core_rule, present
from recsys.data.preparation.pair_groups import distinct_sorted
from recsys.data.preparation.streaming.executor import Executor
from recsys.data.preparation.streaming.partition_files import read_pairs, save_pairs
from recsys.data.preparation.streaming.partitioned import PartitionedInteractions
from recsys.data.schema import AppliedRule

BoolArray = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Core:
    """Who stays.

    Args:
        users: by partition, which of its users stay, bool.
        items: which items stay, shape [num_items], bool.
    """

    users: list[BoolArray]
    items: BoolArray

    def keeps(self, partition: int, interactions: Interactions) -> BoolArray:
        """Which interactions of a partition stay, shape [N]."""
        kept: BoolArray = self.users[partition][interactions.user_index] & self.items[interactions.item_index]
        return kept


@dataclass(frozen=True, slots=True)
class CoreResult:
    """The users and items that have an interaction left, and what the k-core removed.

    Args:
        core: who stays.
        users: by partition, which users have an interaction left.
        items: which items have one.
        num_interactions: interactions that are left.
        rule: the rule with its counts.
    """

    core: Core
    users: list[BoolArray]
    items: BoolArray
    num_interactions: int
    rule: AppliedRule


def k_core_of_partitions(
    parts: PartitionedInteractions,
    min_user_interactions: int,
    min_item_interactions: int,
    positive_threshold: float | None,
    executor: Executor,
) -> CoreResult:
    """Who stays by the rule of :func:`recsys.data.preparation.cleaning.k_core`, which has the same arguments.

    The pairs of a partition are in a file of their own, which each round makes shorter: users are removed there, and
    items by their counts in all partitions. A round that is run twice in a partition finds the same.

    Raises:
        DataError: the interactions come split, and removing any would change the split.
    """
    check_unsplit(min_user_interactions, min_item_interactions, "fold" in parts.columns)
    core = Core([np.ones(num, dtype=np.bool_) for num in parts.num_users], np.ones(parts.num_items, dtype=np.bool_))
    before_items = np.zeros(parts.num_items, dtype=np.bool_)
    num_before = 0
    counts = min_user_interactions, min_item_interactions
    groups = executor.groups(len(parts))
    arguments = [(group,) for group in groups]
    for num_users, present_items in executor.map(_write_pairs, arguments, (parts, max(counts) > 1, positive_threshold)):
        num_before += num_users
        before_items |= present_items
    if max(counts) > 1:
        _reduce(parts, core, counts, executor)

    users: list[BoolArray] = []
    items = np.zeros(parts.num_items, dtype=np.bool_)
    num_all = num_left = 0
    arguments_left = [(group, core.users[group.start : group.stop]) for group in groups]
    for left in executor.map(_find_left, arguments_left, (parts, core.items)):
        users += left.users
        items |= left.items
        num_all, num_left = num_all + left.num_all, num_left + left.num_left
    removed = {
        "interactions": num_all - num_left,
        "users": num_before - sum(int(mask.sum()) for mask in users),
        "items": int(before_items.sum() - items.sum()),
    }
    rule = k_core_rule(min_user_interactions, min_item_interactions, positive_threshold, removed)
    return CoreResult(core, users, items, num_left, rule)


@dataclass(slots=True)
class _GroupLeft:
    """What is left in a group of partitions: users by partition, items, and interactions before and after."""

    users: list[BoolArray]
    items: BoolArray
    num_all: int = 0
    num_left: int = 0


def _write_pairs(
    parts: PartitionedInteractions, wanted: bool, positive_threshold: float | None, group: range
) -> tuple[int, BoolArray]:
    """Write the positive pairs of partitions, if they are wanted; the number of users there, and the items there."""
    num_users, items = 0, np.zeros(parts.num_items, dtype=np.bool_)
    for partition, interactions, _ in parts.of(group):
        num_users += int(present(interactions.user_index, interactions.num_users).sum())
        items |= present(interactions.item_index, parts.num_items)
        if wanted:
            pairs = distinct_sorted(interactions.pairs[interactions.rows_rated_at_least(positive_threshold)])
            user, item = np.divmod(pairs, parts.num_items)
            save_pairs(parts.directory, partition, user.astype(np.int32), item.astype(np.int32))
    return num_users, items


def _find_left(parts: PartitionedInteractions, items: BoolArray, group: range, users: list[BoolArray]) -> _GroupLeft:
    left = _GroupLeft([np.zeros(parts.num_users[one], dtype=np.bool_) for one in group], np.zeros_like(items))
    for partition, interactions, _ in parts.of(group):
        place = partition - group.start
        kept = users[place][interactions.user_index] & items[interactions.item_index]
        left.users[place] = present(interactions.user_index[kept], interactions.num_users)
        left.items |= present(interactions.item_index[kept], parts.num_items)
        left.num_all, left.num_left = left.num_all + len(interactions), left.num_left + int(kept.sum())
    return left


def _reduce(parts: PartitionedInteractions, core: Core, counts: tuple[int, int], executor: Executor) -> None:
    """Remove users and items with too few pairs until none is left; ``core`` is changed."""
    min_user_interactions, min_item_interactions = counts
    groups = executor.groups(len(parts))
    with progress.bar("removing users and items with few interactions", None) as bar:
        changed = True
        while changed:
            changed = False
            item_counts = np.zeros(parts.num_items, dtype=np.int64)
            arguments = [(group, core.users[group.start : group.stop]) for group in groups]
            found = executor.map(_count_items, arguments, (parts, core.items, min_user_interactions))
            for group, (users, counted) in zip(groups, found, strict=True):
                core.users[group.start : group.stop] = users
                item_counts += counted
            if min_item_interactions > 1:
                kept = core.items & (item_counts >= min_item_interactions)
                changed = bool((kept != core.items).any())
                core.items = kept
            bar.advance()


def _count_items(
    parts: PartitionedInteractions,
    items: BoolArray,
    min_user_interactions: int,
    group: range,
    users: list[BoolArray],
) -> tuple[list[BoolArray], IntArray]:
    """One round in some partitions: the users with enough pairs, by partition, and the pairs of each item."""
    users = list(users)
    item_counts = np.zeros(parts.num_items, dtype=np.int64)
    for partition in group:
        found = read_pairs(parts.directory, partition)
        if found is None:
            continue
        user, item = found
        stays = items[item]
        if min_user_interactions > 1:
            place = partition - group.start
            enough = np.bincount(user[stays], minlength=parts.num_users[partition]) >= min_user_interactions
            users[place] = users[place] & enough
            stays &= users[place][user]
        if not stays.all():
            user, item = user[stays], item[stays]
            save_pairs(parts.directory, partition, user, item)
        item_counts += np.bincount(item, minlength=parts.num_items)
    return users, item_counts
