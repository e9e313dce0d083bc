"""Uses the split that the data come with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.data.columns import FOLD_TEST, FOLD_TRAIN, FOLD_VALID, FOLDS
from recsys.data.interactions import Interactions
from recsys.data.row_numbers import compact_rows
from recsys.data.split import Split, Splitter
from recsys.data.splitting.checks import require_interactions, require_parts
from recsys.errors import SplitError


@dataclass(frozen=True, slots=True)
class Predefined:
    """Take training, validation and test as the data mark them.

    If no interaction is marked as validation, ``validation`` draws it: it splits the training interactions, and what it
    holds out for test becomes validation, with all repetitions of the same user and item; its fold-in rows become the
    fold-in rows of validation. Data with their own validation are taken as they are.

    Args:
        validation: splitter of the training interactions, which must not hold out validation itself; None for no
            validation.

    Raises:
        SplitError: ``validation`` is not a splitter.
    """

    validation: Splitter | None = None

    def __post_init__(self) -> None:
        # A string is not a splitter, although it has a method of that name.
        if isinstance(self.validation, str) or not isinstance(self.validation, Splitter | None):
            raise SplitError(
                f"validation must be a splitter or null; got {self.validation!r}. Set split.validation=null, or its "
                "_target_ and arguments."
            )

    def split(self, interactions: Interactions) -> Split:
        """Divide ``interactions``; every row is in one part.

        Raises:
            SplitError: there are no interactions or folds, no interaction is marked as training or as test, or
                validation cannot be drawn.
        """
        require_interactions(interactions)
        if interactions.fold is None:
            raise SplitError(
                "Predefined needs data that come already split; these interactions have no fold column. Give "
                "data.train and data.test, or use another strategy, such as split=leave_last_out."
            )
        train, valid, test = (
            compact_rows(np.flatnonzero(interactions.fold == FOLDS.index(fold)), len(interactions))
            for fold in (FOLD_TRAIN, FOLD_VALID, FOLD_TEST)
        )
        marked = require_parts(
            Split(train=train, valid=valid, test=test),
            "Predefined",
            wants_valid=False,
            remedy="Mark at least one interaction of the data for each",
            no_valid="split.validation=null",
        )
        if self.validation is None or len(valid) > 0:
            return marked
        return self._with_validation(interactions, marked, self.validation)

    @staticmethod
    def _with_validation(interactions: Interactions, marked: Split, validation: Splitter) -> Split:
        """``marked`` with validation drawn out of its training part."""
        training = interactions.take(marked.train)
        try:
            inner = validation.split(training)
        except SplitError as error:
            raise SplitError(
                f"Predefined could not draw validation out of the training interactions (there, what is called test "
                f"becomes validation, and split. stands for split.validation.): {error} Or set "
                "split.validation=null for no validation."
            ) from error
        if len(inner.valid) + len(inner.valid_fold_in) > 0:
            raise SplitError(
                f"the splitter that draws validation must hold out test alone; it also held out {len(inner.valid)} "
                "interactions for validation. Set split.validation.num_valid=0 or split.validation.valid_ratio=0."
            )
        # Data that come split may repeat a (user, item) pair; a held-out pair must not be known as well.
        pair = training.user_index.astype(np.int64) * training.num_items + training.item_index
        drawn = np.isin(pair, pair[inner.test])
        return Split(
            train=marked.train[inner.train[~drawn[inner.train]]],
            valid=marked.train[drawn],
            test=marked.test,
            valid_fold_in=marked.train[inner.test_fold_in[~drawn[inner.test_fold_in]]],
        )
