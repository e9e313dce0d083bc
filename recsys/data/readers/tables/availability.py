"""Recognises the columns that say whether an item can be had now."""

from __future__ import annotations

import re

from recsys.data.readers.tables.table_sample import TableSample

#: Names of columns of truth values: true where the item can be had, and false.
_CAN_BE_HAD = frozenset({"instock", "available", "isavailable", "isinstock", "onsale", "active", "isactive"})
_CANNOT = frozenset({"discontinued", "isdiscontinued", "outofstock", "soldout", "unavailable", "deleted"})
_TRUTH = frozenset({"true", "false"})


def availability_filters(sample: TableSample) -> dict[str, dict[str, list[bool]]]:
    """Filters, as requests have them, by which lists keep to what can be had.

    Args:
        sample: of an items table.

    Example:
        >>> availability_filters(TableSample({"in_stock": ["true", "false"]}))
        {'in_stock': {'any_of': [True]}}
    """
    filters: dict[str, dict[str, list[bool]]] = {}
    for name, values in sample.columns.items():
        plain = re.sub(r"[^a-z]", "", name.lower())
        # Other signs would not get through the command line of the export as a key.
        if (
            not values
            or not re.fullmatch(r"[A-Za-z_][\w ]*", name)
            or not {value.lower() for value in values} <= _TRUTH
        ):
            continue
        if plain in _CAN_BE_HAD:
            filters[name] = {"any_of": [True]}
        elif plain in _CANNOT:
            filters[name] = {"none_of": [True]}
    return filters
