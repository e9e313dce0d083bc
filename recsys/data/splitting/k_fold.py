"""K-fold cross-validation: interactions are divided into folds, one of which is test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.data.splitting.checks import (
    require_integer,
    require_interactions,
    require_parts,
    require_ratio,
    require_seed,
)
from recsys.data.splitting.parts import TEST, TRAIN, VALID, split_by_part
from recsys.data.splitting.shares import share_of
from recsys.errors import SplitError


@dataclass(frozen=True, slots=True)
class KFold:
    """Divide all interactions at random into ``num_folds`` folds and hold out one of them for test.

    With the same seed and ``fold`` from 0 to ``num_folds - 1``, each interaction is in test exactly once. Folds differ
    in size by one interaction at most. Users and items without a training interaction are kept; they are cold.

    Args:
        num_folds: at least 2.
        fold: the test fold, in ``[0, num_folds)``.
        valid_ratio: share of all interactions for validation, drawn out of the other folds, in [0, 1), rounded down
            but at least one.
        seed: seed of the draw, at least 0.

    Raises:
        SplitError: an argument is out of range.
    """

    num_folds: int = 5
    fold: int = 0
    valid_ratio: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        require_integer("num_folds", self.num_folds, 2)
        require_integer("fold", self.fold, 0)
        require_ratio("valid_ratio", self.valid_ratio, zero_allowed=True)
        require_seed(self.seed)
        if self.fold >= self.num_folds:
            raise SplitError(
                f"fold must be below num_folds={self.num_folds}; got {self.fold}. The first fold is split.fold=0."
            )
        if 1 / self.num_folds + self.valid_ratio >= 1:
            raise SplitError(
                f"one fold of {self.num_folds} for test and valid_ratio must leave something for training; got "
                f"valid_ratio={self.valid_ratio}. Lower split.valid_ratio or raise split.num_folds."
            )

    def split(self, interactions: Interactions) -> Split:
        """Divide ``interactions``; every row is in one part.

        Raises:
            SplitError: there are no interactions, or fewer interactions than folds.
        """
        require_interactions(interactions)
        num_rows = len(interactions)
        if num_rows < self.num_folds:
            raise SplitError(
                f"KFold needs at least one interaction in each of {self.num_folds} folds; got {num_rows} interactions. "
                "Lower split.num_folds."
            )
        shuffled = np.random.default_rng(self.seed).permutation(num_rows)
        start, end = (position * num_rows // self.num_folds for position in (self.fold, self.fold + 1))
        # Validation follows the test fold in the shuffled list, and wraps around at its end.
        num_valid = int(share_of(self.valid_ratio, num_rows))
        part = np.full(num_rows, TRAIN, dtype=np.int8)
        part[shuffled[np.arange(end, end + num_valid) % num_rows]] = VALID
        part[shuffled[start:end]] = TEST
        return require_parts(
            split_by_part(part),
            "KFold",
            wants_valid=self.valid_ratio > 0,
            remedy="Give more interactions",
            no_valid="split.valid_ratio=0",
        )
