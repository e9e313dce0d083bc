"""The result of a split, and the protocol of a splitter."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.row_numbers import RowArray, blocks, row_dtype

Stage = Literal["valid", "test"]


def _no_rows() -> RowArray:
    return np.empty(0, dtype=np.int32)


def _joined(parts: Sequence[RowArray]) -> RowArray:
    """The rows of all parts; those of a single part are not copied."""
    filled = [rows for rows in parts if len(rows) > 0]
    return filled[0] if len(filled) == 1 else np.concatenate(parts)


@dataclass(frozen=True, slots=True)
class Split:
    """A split of interactions: the row positions of each part; parts do not overlap.

    Positions are int32 where the rows can be counted in it, else int64.

    Args:
        train: rows that a model may learn from.
        valid: rows held out for choosing hyper-parameters and for early stopping; may be empty.
        test: rows held out for the final numbers.
        valid_fold_in: rows that are not in training but serve as the history of validation users when validation is
            scored (strong generalisation); empty for most splits.
        test_fold_in: the same for test users.
        seen_before: those of the held-out rows whose user had the item before, although no row that is known says so:
            preparation made one interaction out of several. Which rows they are follows from the others.
    """

    train: RowArray
    valid: RowArray
    test: RowArray
    valid_fold_in: RowArray = field(default_factory=_no_rows)
    test_fold_in: RowArray = field(default_factory=_no_rows)
    seen_before: RowArray = field(default_factory=_no_rows)

    @classmethod
    def of_all(cls, num_rows: int) -> Split:
        """The split that holds nothing out: all rows, from 0 to ``num_rows`` - 1, are trained on."""
        return cls(train=np.arange(num_rows, dtype=row_dtype(num_rows)), valid=_no_rows(), test=_no_rows())

    def known(self, stage: Stage) -> RowArray:
        """Rows known when ``stage`` is scored: they are the history, and the seen items to mask.

        For validation these are the training rows; for test, training and validation rows.
        """
        if stage == "valid":
            return _joined([self.train, self.valid_fold_in])
        return _joined([self.train, self.valid_fold_in, self.valid, self.test_fold_in])

    def content_hash(self) -> str:
        """SHA-256 of the rows of all parts, hexadecimal: equal for equal splits."""
        digest = hashlib.sha256()
        for part in (self.train, self.valid, self.test, self.valid_fold_in, self.test_fold_in):
            digest.update(len(part).to_bytes(8, "little"))
            for rows in blocks(len(part)):
                digest.update(part[rows].astype("<i8").data)
        return digest.hexdigest()

    def with_validation_in_training(self) -> Split:
        """The split with the validation rows, fold-in included, moved to training; test stays.

        For the final fit, once hyper-parameters have been chosen on validation.
        """
        train = np.sort(np.concatenate([self.train, self.valid_fold_in, self.valid]))
        seen_before = np.intersect1d(self.seen_before, self.test)
        return Split(train, _no_rows(), self.test, test_fold_in=self.test_fold_in, seen_before=seen_before)

    def targets(self, stage: Stage) -> RowArray:
        """Held-out rows of ``stage``, which a model is to recover."""
        return self.valid if stage == "valid" else self.test


@runtime_checkable
class Splitter(Protocol):
    """Divides interactions into training, validation and test, deterministically by its seed."""

    def split(self, interactions: Interactions) -> Split:
        """Divide ``interactions``.

        Raises:
            SplitError: the interactions lack what the strategy needs (timestamps, enough users, folds).
        """
        ...
