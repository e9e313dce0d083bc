"""What is allowed in new interactions and seldom meant: another kind of ids, of ratings or of times, rows once more.

Shape suffixes: N new interactions.
"""

from __future__ import annotations

import time
import warnings

import numpy as np

from recsys.data.appending.new_ids import IdsInOrder
from recsys.data.inspection.null_ids import count_null_ids, warn_of_null_ids
from recsys.data.inspection.table_joins import FEW, other_spelling
from recsys.data.interactions import Interactions
from recsys.data.preparation.catalogue import EntityTable
from recsys.data.schema import Schema
from recsys.data.times import format_moment
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError, DataWarning

#: Up to this share of new ratings may well be lower or higher than all so far.
_RATINGS_BEYOND = 0.05
#: A share of rows that are there already, above which it is no chance.
_MANY_AGAIN = 0.5
#: Fewer users, items or ratings tell nothing.
_SEVERAL = 5
#: Clocks may differ by this.
_SECONDS_AHEAD = 86_400


def check_ids(ids: IdsInOrder, index: np.ndarray, what: str) -> None:
    """Look whether ids of new interactions are those of the data so far.

    Args:
        ids: of the users or items.
        index: of the new interactions, shape [N].
        what: "users" or "items".

    Raises:
        DataError: most of them would be known if they were written as the known ones are, and none is.

    Warns:
        DataWarning: none is known, or more would be in another spelling.
    """
    occurring = np.unique(index)
    missing = ids.every_id.take(occurring[occurring >= len(ids.known)])
    num_known = len(occurring) - len(missing)
    if len(missing) == 0 or num_known >= FEW * len(occurring):
        return
    spelling = other_spelling(missing, ids.known.ids)
    found = f"{num_known:,} of the {len(occurring):,} {what} of the new interactions are known so far"
    if spelling is not None:
        here, there = spelling.example
        said = (
            f"{found}. {spelling.capitalized()}, such as {here!r} and {there!r}. Write the ids as they were written "
            "before."
        )
        if num_known == 0 and spelling.num_more > FEW * len(occurring):
            raise DataError(said)
        _warn(said)
    elif num_known == 0 and len(missing) >= _SEVERAL:
        _warn(
            f"{found}: they have ids such as {missing[0].as_py()!r}, those so far such as "
            f"{ids.known.ids[0].as_py()!r}. Check that the ids are of the same kind."
        )


def warn_of_new_null_ids(ids: IdsInOrder, index: np.ndarray, what: str) -> None:
    """Say which ids that are new are words for a missing value.

    Args:
        ids: of the users or items.
        index: of the new interactions, shape [N].
        what: "users" or "items".

    Warns:
        DataWarning: one is.
    """
    found = count_null_ids(ids.every_id[len(ids.known) :], index - len(ids.known))
    warn_of_null_ids(found, what, "Leave these rows out if no id came.")


def warn_of_values(new: Interactions, before: Schema) -> None:
    """Look whether ratings and times of new interactions go on where those so far end.

    Args:
        new: N interactions.
        before: of the data so far.

    Warns:
        DataWarning: they do not.
    """
    if len(new) == 0:
        return
    if new.rating is not None and before.rating is not None:
        low, high = before.rating.min, before.rating.max
        beyond = (new.rating < low) | (new.rating > high)
        if beyond.sum() >= _SEVERAL and beyond.mean() > _RATINGS_BEYOND:
            _warn(
                f"{int(beyond.sum()):,} of the {len(new):,} new interactions have a rating outside of those so far, "
                f"{low:g} to {high:g}, such as {new.rating[beyond][0]:g}. Check that the scale is the same."
            )
    if new.timestamp is not None and before.timestamp is not None:
        first, last = int(new.timestamp.min()), int(new.timestamp.max())
        if last < before.timestamp.first:
            _warn(
                f"All {len(new):,} new interactions, from {format_moment(first)} to {format_moment(last)}, are earlier "
                f"than the first so far, {format_moment(before.timestamp.first)}. Check that the clock is the same."
            )
        soon = int(time.time()) + _SECONDS_AHEAD
        if last > soon >= before.timestamp.last:
            _warn(
                f"{int((new.timestamp > soon).sum()):,} of the {len(new):,} new interactions are in the future, the "
                f"last at {format_moment(last)}. Check the column of the times."
            )


def warn_of_rows_again(num_again: int, num_new: int) -> None:
    """Say if most new interactions are in the data already.

    Args:
        num_again: that are, with all their values.
        num_new: all of them.

    Warns:
        DataWarning: they are.
    """
    if num_again > _MANY_AGAIN * num_new:
        _warn(
            f"{num_again:,} of the {num_new:,} new interactions are in the data already, with the same values. Give "
            "what came since."
        )


def warn_of_foreign_rows(table: EntityTable, vocabulary: Vocabulary) -> None:
    """Say if no row of a table is of a user or an item of the data.

    Args:
        table: of users or items, perhaps without rows.
        vocabulary: of all of them, the new ones included.

    Warns:
        DataWarning: none is.
    """
    if len(table.ids) > 0 and bool((vocabulary.index_of(table.ids) < 0).all()):
        spelling = other_spelling(table.ids, vocabulary.ids)
        _warn(
            f"None of the {len(table.ids):,} rows of the {table.name} table is of one of the {len(vocabulary):,} "
            f"{table.name} of the data: ids there are such as {table.ids[0].as_py()!r}, in the data such as "
            f"{vocabulary.ids[0].as_py()!r}. "
            + (f"{spelling.capitalized()}. " if spelling is not None else "")
            + "They are left out."
        )


def _warn(text: str) -> None:
    warnings.warn(text, DataWarning, stacklevel=3)
