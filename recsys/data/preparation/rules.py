"""Applies the rules of preparation to raw interactions, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import RATING
from recsys.data.interactions import IndexArray, Interactions
from recsys.data.preparation.cleaning import k_core, present
from recsys.data.preparation.raw_interactions import CodedInteractions
from recsys.data.preparation.repeats import resolve_repeats
from recsys.data.preparation.returns import cancel_returns
from recsys.data.row_numbers import RowArray
from recsys.data.schema import AppliedRule
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError

if TYPE_CHECKING:
    from recsys.data.preparing import Preparation


def clean(
    coded: CodedInteractions, preparation: Preparation, item_ids: pa.StringArray
) -> tuple[Interactions, Vocabulary, Vocabulary, list[AppliedRule]]:
    """Apply the rules to the valid interactions.

    Args:
        coded: the valid interactions.
        preparation: the settings.
        item_ids: ids of the items table, for ``include_unrated_items``.

    Returns:
        The remaining interactions in raw order (in the order of time where times are finer than seconds, so that rows
        of one second are in order), the vocabularies of users and items, and what each rule removed.

    Raises:
        DataError: the data break a rule, or the rules leave nothing.
    """
    interactions, threshold = coded.interactions, preparation.positive_threshold
    rules = [coded.rule]
    num_raw = len(interactions) + coded.rule.removed["interactions"]
    rated_items = coded.items.ids.filter(pa.array(present(interactions.item_index, interactions.num_items)))
    if threshold is not None:
        rating = interactions.rating
        check_threshold(threshold, None if rating is None else (float(rating.min()), float(rating.max())))
    if interactions.subsecond_ns is not None:
        assert interactions.moments is not None, "there are no parts of a second without seconds"
        interactions = interactions.take(np.argsort(interactions.moments, kind="stable"))
    interactions, returns = cancel_returns(interactions)
    rules += [] if returns is None else [returns]
    interactions, rule = resolve_repeats(interactions, preparation.repeats)
    rules.append(rule)
    rows, rule = k_core(interactions, preparation.min_user_interactions, preparation.min_item_interactions, threshold)
    interactions = _take(interactions, rows)
    rules.append(rule)
    check_left(len(interactions), num_raw, rules)

    unrated = item_ids.filter(pc.invert(pc.is_in(item_ids, value_set=rated_items)))
    users, user_index = _reindex(coded.users, interactions.user_index)
    items, item_index = _reindex(
        coded.items, interactions.item_index, unrated if preparation.include_unrated_items else None
    )
    return (
        replace(interactions, user_index=user_index, item_index=item_index, num_users=len(users), num_items=len(items)),
        users,
        items,
        rules,
    )


def check_threshold(threshold: float, ratings: tuple[float, float] | None) -> None:
    """Check that some interaction is positive.

    Args:
        threshold: lowest rating of a positive interaction.
        ratings: the lowest and the highest rating; None where there are none.

    Raises:
        DataError: none is.
    """
    if ratings is None:
        raise DataError(
            f"preparation.positive_threshold={threshold:g} needs a {RATING} column, and the interactions have none. "
            "Set it to null, or name the column."
        )
    if not ratings[1] >= np.float32(threshold):
        raise DataError(
            f"No interaction reaches preparation.positive_threshold={threshold:g}; ratings go from "
            f"{ratings[0] + 0.0:g} to {ratings[1] + 0.0:g}. Lower it."
        )


def check_left(num_left: int, num_rows: int, rules: Sequence[AppliedRule]) -> None:
    """Check that the rules leave something.

    Raises:
        DataError: they do not.
    """
    if num_left == 0:
        raise DataError(
            f"The rules leave none of {num_rows:,} interactions: {'; '.join(map(str, rules))}. Lower "
            "preparation.min_user_interactions or preparation.min_item_interactions."
        )


def _take(interactions: Interactions, rows: RowArray) -> Interactions:
    """``interactions`` at ``rows``, copied only if rows are removed: usually all stay, and the arrays are large."""
    return interactions if len(rows) == len(interactions) else interactions.take(rows)


def _reindex(
    vocabulary: Vocabulary, indices: IndexArray, further: pa.StringArray | None = None
) -> tuple[Vocabulary, IndexArray]:
    """The vocabulary of the ids in ``indices`` and of the ``further`` ids, and ``indices`` in that vocabulary."""
    ids = vocabulary.ids.filter(pa.array(present(indices, len(vocabulary))))
    kept = Vocabulary.from_ids(pa.concat_arrays([ids, further]) if further is not None else ids, vocabulary.id_column)
    # Mostly every id stays, and with it its index.
    return kept, indices if kept == vocabulary else kept.index_of(vocabulary.ids)[indices]
