"""Interactions in partitions: read one partition after the other, with the columns that they have together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from recsys.data.interactions import IntArray, Interactions
from recsys.data.preparation.streaming.partition_files import open_interactions, read_interactions


@dataclass(frozen=True, slots=True)
class PartitionedInteractions:
    """Interactions that are in files by partition. Each partition counts its own users; items are those of all.

    Args:
        directory: of the files.
        num_users: users of each partition.
        num_items: items of all partitions.
        columns: names of the optional columns of the interactions that some partition has.
    """

    directory: Path
    num_users: tuple[int, ...]
    num_items: int
    columns: frozenset[str]

    def __len__(self) -> int:
        return len(self.num_users)

    def __iter__(self) -> Iterator[tuple[int, Interactions, IntArray]]:
        """Each partition that has interactions: its number, they, and their numbers in the raw data."""
        return self.of(range(len(self)))

    def of(self, partitions: range) -> Iterator[tuple[int, Interactions, IntArray]]:
        """Those of some partitions."""
        for partition in partitions:
            found = self.open(partition)
            if found is not None:
                yield partition, *found

    def open(self, partition: int) -> tuple[Interactions, IntArray] | None:
        """The interactions of a partition and their numbers in the raw data; None where there are none."""
        found = open_interactions(self.directory, partition, self.num_users[partition], self.num_items)
        return None if found is None else (self.with_all_columns(found[0]), found[1])

    def read(self, partition: int, rows: slice) -> tuple[Interactions, IntArray]:
        """Some of the interactions of a partition, in arrays of their own, and their numbers in the raw data."""
        part, numbers = read_interactions(self.directory, partition, rows, self.num_users[partition], self.num_items)
        return self.with_all_columns(part), numbers

    def with_all_columns(self, interactions: Interactions) -> Interactions:
        """Interactions with the columns that only other partitions had a reason to note.

        What repeats nowhere weighs 1 and was first there when it was last there.
        """
        if "weight" in self.columns and interactions.weight is None:
            interactions = replace(interactions, weight=np.ones(len(interactions), dtype=np.float32))
        if "first_timestamp" in self.columns and interactions.first_timestamp is None:
            interactions = replace(interactions, first_timestamp=interactions.timestamp)
        return interactions
