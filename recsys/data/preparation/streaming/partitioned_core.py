"""The k-core of interactions in partitions: users are counted in each, items over all of them, round after round."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recsys.cli.progress import progress
from recsys.data.interactions import IntArray, Interactions
from recsys.data.preparation.cleaning import check_unsplit, k_core_rule, present
from recsys.data.preparation.pair_groups import distinct_sorted
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
) -> CoreResult:
    """Who stays by the rule of :func:`recsys.data.preparation.cleaning.k_core`, which has the same arguments.

    The pairs of a partition are in a file of their own, which each round makes shorter.

    Raises:
        DataError: the interactions come split, and removing any would change the split.
    """
    check_unsplit(min_user_interactions, min_item_interactions, "fold" in parts.columns)
    core = Core([np.ones(num, dtype=np.bool_) for num in parts.num_users], np.ones(parts.num_items, dtype=np.bool_))
    before_users = [np.zeros(num, dtype=np.bool_) for num in parts.num_users]
    before_items = np.zeros(parts.num_items, dtype=np.bool_)
    counts = min_user_interactions, min_item_interactions
    for partition, interactions, _ in parts:
        before_users[partition] = present(interactions.user_index, interactions.num_users)
        before_items |= present(interactions.item_index, parts.num_items)
        if max(counts) > 1:
            pairs = distinct_sorted(interactions.pairs[interactions.rows_rated_at_least(positive_threshold)])
            np.save(_pairs_path(parts.directory, partition), pairs)
    if max(counts) > 1:
        _reduce(parts, core, counts)

    users = [np.zeros(num, dtype=np.bool_) for num in parts.num_users]
    items = np.zeros(parts.num_items, dtype=np.bool_)
    num_all = num_left = 0
    for partition, interactions, _ in parts:
        kept = core.keeps(partition, interactions)
        users[partition] = present(interactions.user_index[kept], interactions.num_users)
        items |= present(interactions.item_index[kept], parts.num_items)
        num_all, num_left = num_all + len(interactions), num_left + int(kept.sum())
    removed = {
        "interactions": num_all - num_left,
        "users": _total(before_users) - _total(users),
        "items": int(before_items.sum() - items.sum()),
    }
    rule = k_core_rule(min_user_interactions, min_item_interactions, positive_threshold, removed)
    return CoreResult(core, users, items, num_left, rule)


def _reduce(parts: PartitionedInteractions, core: Core, counts: tuple[int, int]) -> None:
    """Remove users and items with too few pairs until none is left; ``core`` is changed."""
    min_user_interactions, min_item_interactions = counts
    with progress.bar("removing users and items with few interactions", None) as bar:
        changed = True
        while changed:
            changed = False
            item_counts = np.zeros(parts.num_items, dtype=np.int64)
            for partition in range(len(parts)):
                path = _pairs_path(parts.directory, partition)
                if not path.exists():
                    continue
                pairs: IntArray = np.load(path)
                left = _with_enough(pairs, core, partition, parts, min_user_interactions)
                if len(left) < len(pairs):
                    np.save(path, left)
                item_counts += np.bincount(left % parts.num_items, minlength=parts.num_items)
            if min_item_interactions > 1:
                kept = core.items & (item_counts >= min_item_interactions)
                changed = bool((kept != core.items).any())
                core.items = kept
            bar.advance()


def _with_enough(
    pairs: IntArray, core: Core, partition: int, parts: PartitionedInteractions, min_user_interactions: int
) -> IntArray:
    """The pairs of a partition whose item stays and whose user has enough of them; others' users are removed."""
    user, item = pairs // parts.num_items, pairs % parts.num_items
    stays = core.items[item]
    if min_user_interactions > 1:
        enough = np.bincount(user[stays], minlength=parts.num_users[partition]) >= min_user_interactions
        core.users[partition] &= enough
        stays &= core.users[partition][user]
    return pairs[stays]


def _total(masks: list[BoolArray]) -> int:
    return sum(int(mask.sum()) for mask in masks)


def _pairs_path(directory: Path, partition: int) -> Path:
    return directory / f"pairs-{partition:04}.npy"
