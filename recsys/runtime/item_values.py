"""Values of items that change while they are served: what is in stock, what is discontinued, prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import ITEM_ID, ITEM_INDEX
from recsys.errors import RequestError
from recsys.retrieval.format_list import format_list
from recsys.retrieval.shown_value import shown_value
from recsys.retrieval.types import IntArray

#: Ids that an error message lists at most.
_SHOWN = 10

#: New values of items by their ids, by column.
ItemValues = Mapping[str, Mapping[str, object]]


def with_values(table: pa.Table, values: ItemValues, items_of: Callable[[Sequence[str]], IntArray]) -> pa.Table:
    """A table of items in which some have other values; the given one stays as it is.

    Args:
        table: of the items, a row for each index.
        values: the new values by item id, by column, such as ``{"in_stock": {"4711": False}}``; None: not known. A
            column that the items do not have is new, and not known of the others.
        items_of: gives the indices of ids, -1 for those that are unknown.

    Raises:
        RequestError: an item is unknown, a column holds the ids, or a value is of another type than its column.
    """
    if not isinstance(values, Mapping):
        raise RequestError(
            f"New values of items are by column and by item id, such as {{'in_stock': {{'4711': False}}}}, but "
            f"{shown_value(values)} came."
        )
    for column, of_items in values.items():
        if not isinstance(column, str) or not isinstance(of_items, Mapping) or column in (ITEM_ID, ITEM_INDEX):
            raise RequestError(
                f"New values of items are by column and by item id, such as {{'in_stock': {{'4711': False}}}}, but "
                f"{shown_value({column: of_items})} came."
            )
        table = _with_column(table, column, of_items, items_of)
    return table


def known_values(values: ItemValues, items_of: Callable[[Sequence[str]], IntArray]) -> ItemValues:
    """The values of items that are known; columns without any are left out."""
    known: dict[str, dict[str, object]] = {}
    for column, of_items in values.items():
        there = items_of(list(of_items)) >= 0
        own = {name: value for (name, value), is_known in zip(of_items.items(), there, strict=True) if is_known}
        if own:
            known[column] = own
    return known


def _with_column(
    table: pa.Table, name: str, values: Mapping[str, object], items_of: Callable[[Sequence[str]], IntArray]
) -> pa.Table:
    ids = list(values)
    items = items_of(ids)
    unknown = [str(one) for one, item in zip(ids, items, strict=True) if item < 0]
    if unknown:
        raise RequestError(
            f"Items that are known are required, but {format_list(unknown, _SHOWN)} are not. Leave them out, or add "
            "them first."
        )
    told = [value.item() if isinstance(value, np.generic) else value for value in values.values()]
    kind = _kind_of(table, name, told)
    changed = np.zeros(len(table), dtype=np.bool_)
    changed[items] = True
    order = np.argsort(items, kind="stable")
    try:
        new = pa.array([told[place] for place in order], kind)
    except (pa.ArrowException, OverflowError, TypeError) as error:
        raise RequestError(f"New values of {name} must be of the type {kind}, as its others: {error}.") from error
    old = table.column(name).combine_chunks() if name in table.column_names else pa.nulls(len(table), kind)
    old = old.cast(kind)  # one that is coded is not coded any more
    # The row of each value: its own where it stays, behind all old ones where it is new.
    places = np.arange(len(table))
    places[changed] = len(table) + np.arange(len(new))
    column = pc.take(pa.chunked_array([old, new]), pa.array(places))
    position = table.column_names.index(name) if name in table.column_names else None
    return table.append_column(name, column) if position is None else table.set_column(position, name, column)


def _kind_of(table: pa.Table, name: str, told: Sequence[object]) -> pa.DataType:
    """The type of a column; that of its new values where it is new or has had no values."""
    if name in table.column_names:
        kind = table.schema.field(name).type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not pa.types.is_null(kind):
            return kind
    try:
        return pa.array(told).type
    except (pa.ArrowException, OverflowError, TypeError) as error:
        raise RequestError(f"New values of {name} must be of one type: {error}.") from error
