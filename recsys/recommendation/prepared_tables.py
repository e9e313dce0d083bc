"""What prepared data have of users and items, as requests are resolved with it. Shape suffixes: U users, I items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsys.data.encoded_columns import EncodedColumn
from recsys.data.histories import Histories
from recsys.data.id_index import IdIndex
from recsys.data.id_types import noted_id_types
from recsys.data.prepared import PreparedDataset
from recsys.errors import SettingsError
from recsys.models.interface.protocols import PredictsRatings, UsesUserFeatures
from recsys.recommendation.catalogue_columns import content_column_of
from recsys.recommendation.model_queries import ragged_items_of
from recsys.retrieval.seen_policy import SECONDS_PER_DAY, SeenPolicy
from recsys.retrieval.types import IntArray
from recsys.runtime.catalogue import CatalogueState
from recsys.runtime.manifest import BundleData
from recsys.runtime.request_resolution import UserTables
from recsys.runtime.user_features import UserFeatures

_EXCLUDED = SeenPolicy()


def min_rating_of_history(model: object, prepared: PreparedDataset) -> float | None:
    """The lowest rating that ``model`` has in its histories; None where it has all ratings there."""
    return None if isinstance(model, PredictsRatings) else prepared.schema.positive_threshold


def data_of(prepared: PreparedDataset, model: object) -> BundleData:
    """What ``model`` knows of the data."""
    schema = prepared.schema
    return BundleData(
        name=schema.name,
        content_hash=schema.content_hash,
        num_users=schema.num_users,
        num_items=schema.num_items,
        min_rating=min_rating_of_history(model, prepared),
        rating_range=None if schema.rating is None else (schema.rating.min, schema.rating.max),
        item_features=schema.item_features,
        content_column=content_column_of(prepared),
        # The density is that of pairs of a user and an item.
        repeats=round(schema.density * schema.num_users * schema.num_items) < schema.num_interactions,
        id_types=noted_id_types(schema),
    )


def user_columns_of(models: Sequence[object]) -> tuple[EncodedColumn, ...]:
    """The columns of users that any of the models reads."""
    readers = [model for model in models if isinstance(model, UsesUserFeatures)]
    return tuple({column.name: column for model in readers for column in model.user_columns()}.values())


def user_tables(
    prepared: PreparedDataset,
    models: Sequence[object],
    max_history: int | None = None,
    exclude_seen: SeenPolicy = _EXCLUDED,
    users: IntArray | None = None,
) -> UserTables:
    """Vocabularies, histories and columns of the users.

    Args:
        prepared: the data.
        models: say which columns of users are read and, the first one, what enters a history.
        max_history: latest interactions of a history that models are given; None: all.
        exclude_seen: what happens to seen items where a request does not say.
        users: internal indices of those whose histories are needed; None: all.
    """
    known = prepared.interactions
    if users is not None:
        is_needed = np.zeros(known.num_users, dtype=np.bool_)
        is_needed[users] = True
        known = known.take(np.flatnonzero(is_needed[known.user_index]))
    return UserTables(
        data_of(prepared, models[0]),
        IdIndex.of(prepared.user_vocabulary.ids),
        IdIndex.of(prepared.item_vocabulary.ids),
        ragged_items_of(Histories.from_interactions(known)),
        UserFeatures(user_columns_of(models), prepared.users),
        max_history,
        exclude_seen,
    )


def catalogue_of(
    prepared: PreparedDataset, filters: object = None, popular_days: float | None = None
) -> CatalogueState:
    """All items of the data.

    Args:
        prepared: the data.
        filters: which items may be in any list, as requests have it; None: all.
        popular_days: see :func:`popularity_of`.

    Raises:
        RecsysError: the filters are malformed or name a column that does not exist, or the data have no times.
    """
    counts = np.bincount(prepared.interactions.item_index, minlength=prepared.schema.num_items)
    popularity = popularity_of(prepared, popular_days)
    return CatalogueState.of(prepared.items, prepared.schema.item_features, popularity, counts, filters)


def popularity_of(prepared: PreparedDataset, popular_days: float | None = None) -> IntArray:
    """Positive interactions of each item, shape [I], int64.

    Args:
        prepared: the data.
        popular_days: those of so many days before the newest interaction alone; None: of all time.

    Raises:
        SettingsError: the days are no number above 0, or the data have no times.
    """
    positives = prepared.positives()
    if popular_days is not None:
        is_number = isinstance(popular_days, int | float) and not isinstance(popular_days, bool)
        if not is_number or not 0 < popular_days < np.inf:
            raise SettingsError(f"popular_days must be a number of days above 0, or null, but it is {popular_days}.")
        if positives.timestamp is None:
            raise SettingsError(
                f"popular_days={popular_days:g} needs to know when interactions were, but {prepared.schema.name} has "
                "no times. Leave it out."
            )
        newest = prepared.interactions.timestamp
        start = (0 if newest is None else newest.max(initial=0)) - popular_days * SECONDS_PER_DAY
        positives = positives.take(np.flatnonzero(positives.timestamp > start))
    counts: IntArray = np.bincount(positives.item_index, minlength=prepared.schema.num_items)
    return counts
