"""A split that stays put: a hash of user and item says which part a row is in, whatever rows are added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from recsys.data.hashing import hash_columns, uniform
from recsys.data.interactions import Interactions
from recsys.data.row_numbers import blocks
from recsys.data.split import Split
from recsys.data.splitting.checks import (
    require_integer,
    require_interactions,
    require_parts,
    require_ratio,
    require_room_for_training,
    require_seed,
)
from recsys.data.splitting.parts import TEST, TEST_FOLD_IN, TRAIN, VALID, VALID_FOLD_IN, PartArray, split_by_part
from recsys.data.user_rows import UserRows
from recsys.errors import SplitError

HashedBy = Literal["pair", "user", "item"]

#: Seeds the hash that chooses which interactions of a held-out user are given, beside the one that chooses the user.
_GIVEN = 1


@dataclass(frozen=True, slots=True)
class HashSplit:
    """Hold out interactions by a hash, so that a row's part depends on that row alone.

    Data that are appended to keep their indices (:mod:`recsys.data.appending`), so that what was held out stays held
    out, in every generation. All interactions of a user with an item are in one part. A share of the interactions is
    what the hash gives: near the ratio, not equal to it. Users and items without a training interaction are kept.

    Args:
        test_ratio: share for test, in (0, 1): of pairs of a user and an item, of users, or of items.
        valid_ratio: the same for validation, in [0, 1).
        by: what is held out: ``"pair"`` single interactions, ``"user"`` whole users, of whose interactions a share is
            given, ``"item"`` whole items.
        given_ratio: with ``by="user"``, share of a held-out user's interactions that is given, in (0, 1).
        min_train: the first so many interactions of a user, in the order of the data, are trained on whatever the hash
            says; with ``by="pair"`` alone. A row's part then depends on the rows of its user before it: it stays put
            for as long as none of these goes, by a return, by a repeat that takes its place, or by a rating that is no
            longer positive.
        seed: other seeds hold out other interactions; at least 0.

    Raises:
        SplitError: an argument is out of range.
    """

    test_ratio: float = 0.1
    valid_ratio: float = 0.1
    by: HashedBy = "pair"
    given_ratio: float = 0.8
    min_train: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        require_ratio("test_ratio", self.test_ratio)
        require_ratio("valid_ratio", self.valid_ratio, zero_allowed=True)
        require_room_for_training(self.test_ratio, self.valid_ratio)
        require_ratio("given_ratio", self.given_ratio)
        require_integer("min_train", self.min_train, 0)
        require_seed(self.seed)
        if self.by not in get_args(HashedBy):
            raise SplitError(f"by must be pair, user or item; got {self.by!r}. Set split.by.")
        if self.min_train > 0 and self.by != "pair":
            raise SplitError(
                f"min_train keeps interactions of users in training, but by={self.by} holds out whole {self.by}s. Set "
                "split.min_train=0."
            )

    def split(self, interactions: Interactions) -> Split:
        """Divide ``interactions``; every row is in one part.

        Raises:
            SplitError: there are no interactions, or too few for each part to have one.
        """
        require_interactions(interactions)
        part = np.empty(len(interactions), dtype=np.int8)
        user, item = interactions.user_index, interactions.item_index
        for rows in blocks(len(part)):
            part[rows] = self._parts(Interactions(user[rows], item[rows], None, None, None, 0, 0))
        if self.min_train > 0:
            placed = UserRows.in_order(user, interactions.num_users)
            first = np.arange(len(part)) - np.repeat(placed.offsets[:-1], placed.counts) < self.min_train
            part[placed.rows[first]] = TRAIN
        return require_parts(
            split_by_part(part),
            "HashSplit",
            wants_valid=self.valid_ratio > 0,
            remedy="Give more interactions or larger ratios",
            no_valid="split.valid_ratio=0",
        )

    def _parts(self, rows: Interactions) -> PartArray:
        """The part of each of some rows, by their hash alone."""
        pair = (rows.user_index, rows.item_index)
        hashed = {"pair": pair, "user": pair[:1], "item": pair[1:]}[self.by]
        place = uniform(hash_columns(*hashed, seed=self.seed << 1))
        part = np.full(len(rows), TRAIN, dtype=np.int8)
        part[place < self.test_ratio + self.valid_ratio] = VALID
        part[place < self.test_ratio] = TEST
        if self.by == "user":
            given = uniform(hash_columns(*pair, seed=(self.seed << 1) + _GIVEN)) < self.given_ratio
            part[given & (part == TEST)] = TEST_FOLD_IN
            part[given & (part == VALID)] = VALID_FOLD_IN
        return part
