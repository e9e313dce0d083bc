"""What prepared data have of users and items, as requests are resolved with it. Shape suffixes: U users, I items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsys.data.encoded_columns import EncodedColumn
from recsys.data.histories import Histories
from recsys.data.prepared import PreparedDataset
from recsys.models.interface.protocols import PredictsRatings, UsesUserFeatures
from recsys.recommendation.catalogue_columns import content_column_of
from recsys.recommendation.model_queries import ragged_items_of
from recsys.runtime.catalogue import CatalogueState
from recsys.runtime.manifest import BundleData
from recsys.runtime.request_resolution import UserTables
from recsys.runtime.user_features import UserFeatures


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
    )


def user_columns_of(models: Sequence[object]) -> tuple[EncodedColumn, ...]:
    """The columns of users that any of the models reads."""
    readers = [model for model in models if isinstance(model, UsesUserFeatures)]
    return tuple({column.name: column for model in readers for column in model.user_columns()}.values())


def user_tables(prepared: PreparedDataset, models: Sequence[object], max_history: int | None = None) -> UserTables:
    """Vocabularies, histories and columns of the users.

    Args:
        prepared: the data.
        models: say which columns of users are read and, the first one, what enters a history.
        max_history: latest interactions of a history that models are given; None: all.
    """
    return UserTables(
        data_of(prepared, models[0]),
        prepared.user_vocabulary.ids.to_pylist(),
        prepared.item_vocabulary.ids.to_pylist(),
        ragged_items_of(Histories.from_interactions(prepared.interactions)),
        UserFeatures(user_columns_of(models), prepared.users),
        max_history,
    )


def catalogue_of(prepared: PreparedDataset) -> CatalogueState:
    """All items of the data."""
    num_items = prepared.schema.num_items
    popularity = np.bincount(prepared.positives().item_index, minlength=num_items)
    counts = np.bincount(prepared.interactions.item_index, minlength=num_items)
    return CatalogueState.of(prepared.items, prepared.schema.item_features, popularity, counts)
