"""The columns of the items of prepared data, for filters and diversity."""

from __future__ import annotations

from recsys.data.prepared import PreparedDataset
from recsys.data.raw import FeatureKind
from recsys.errors import RetrievalError
from recsys.retrieval.item_columns import ItemColumns, Values
from recsys.retrieval.reranking.reranker import Reranker
from recsys.retrieval.reranking.rerankers import make_reranker


def item_columns(prepared: PreparedDataset) -> ItemColumns:
    """The columns of the items, with values separated as the data declare."""
    return ItemColumns(prepared.items, separators_of(prepared))


def separators_of(prepared: PreparedDataset) -> dict[str, str]:
    """What divides the values of a string, by item column."""
    return {column.name: column.separator for column in prepared.schema.item_features if column.separator is not None}


def content_column_of(prepared: PreparedDataset) -> str | None:
    """The first multi-valued feature of the items; None where there is none."""
    features = prepared.schema.item_features
    return next((feature.name for feature in features if feature.kind == FeatureKind.MULTI_VALUED), None)


def content_of(prepared: PreparedDataset, column: str | None = None) -> Values:
    """The values by which lists are diversified.

    Args:
        prepared: the data.
        column: which column has them; None: the first multi-valued feature.

    Raises:
        RetrievalError: there is no such column, or no multi-valued feature.
    """
    column = column or content_column_of(prepared)
    if column is None:
        raise RetrievalError(
            f"Diversity needs items with several values, such as genres, but {prepared.schema.name} has no such "
            "feature. Name another column, or leave diversity out."
        )
    return item_columns(prepared).values(column)


def reranker(
    name: str | None, diversity_weight: float, prepared: PreparedDataset, column: str | None
) -> Reranker | None:
    """The re-ranker ``name``; None where the name is None.

    Raises:
        RetrievalError: there is no such re-ranker or column, or the weight is out of range.
    """
    return make_reranker(name, diversity_weight, item_columns(prepared), column or content_column_of(prepared))
