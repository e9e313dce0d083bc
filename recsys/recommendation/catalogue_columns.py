"""Rules and re-ranking as they are asked for by name, on prepared data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recsys.data.prepared import PreparedDataset
from recsys.data.raw import FeatureKind
from recsys.errors import RetrievalError
from recsys.retrieval.filters import Filter, between, only, without
from recsys.retrieval.item_columns import ItemColumns, Values
from recsys.retrieval.reranker import Reranker
from recsys.retrieval.rerankers import make_reranker


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
        RetrievalError: there is no such re-ranker or column, or the strength is out of range.
    """
    return make_reranker(name, diversity_weight, item_columns(prepared), column or content_column_of(prepared))


def rules(
    prepared: PreparedDataset,
    wanted: Mapping[str, Any] | None,
    unwanted: Mapping[str, Any] | None,
    ranges: Mapping[str, Any] | None,
) -> list[Filter]:
    """The rules of a command line.

    Args:
        prepared: the data.
        wanted: columns and the values, or one value, any of which an item must have.
        unwanted: columns and the values, or one value, none of which an item may have.
        ranges: columns and the two ends of a range, None for an open end.

    Raises:
        RetrievalError: a column or a value does not exist, or a range is none.
    """
    columns = item_columns(prepared)
    for name, ends in (ranges or {}).items():
        if not _is_list(ends) or len(ends) != 2 or not all(end is None or isinstance(end, int | float) for end in ends):
            raise RetrievalError(
                f"A range is two numbers, or null for an open end, such as [1990,1999], but that of {name} is {ends}."
            )
    return [
        *only(columns, {name: _listed(values) for name, values in (wanted or {}).items()}),
        *without(columns, {name: _listed(values) for name, values in (unwanted or {}).items()}),
        *between(columns, {name: (ends[0], ends[1]) for name, ends in (ranges or {}).items()}),
    ]


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _listed(values: Any) -> Sequence[object]:
    return values if _is_list(values) else [values]
